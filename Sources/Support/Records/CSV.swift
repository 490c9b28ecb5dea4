/// A line of CSV (RFC 4180), with its end; fields that need it are quoted.
public func csvLine(_ fields: [String]) -> String {
  fields.map { field in
    field.utf8.contains { ",\"\n\r".utf8.contains($0) }
      ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
  }.joined(separator: ",") + "\n"
}
