/// Rows of cells in columns of equal width.
public func table(_ rows: [[String]], leftAligned: Int) -> String {
  let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
  return rows.map { row in
    row.indices.map { column in
      let space = String(repeating: " ", count: widths[column] - row[column].count)
      return column < leftAligned ? row[column] + space : space + row[column]
    }.joined(separator: "  ").trimmingTrailingSpaces()
  }.joined(separator: "\n")
}

extension String {
  /// With spaces at the end, up to so many characters.
  public func padded(to count: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, count - self.count))
  }

  fileprivate func trimmingTrailingSpaces() -> String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
