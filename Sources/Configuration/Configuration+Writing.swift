import Support

extension Configuration {
  /// The whole configuration as YAML that reads back to an equal one, with a comment on each key.
  /// Keys without a value are commented out.
  public var yaml: String {
    var text = ""
    var section: Substring = ""
    for key in Self.keys {
      if key.section != section {
        text += (section.isEmpty ? "" : "\n") + "\(key.section):\n"
        section = key.section
      }
      let entry = key.yaml(self).map { "\(key.leaf): \($0)" } ?? "# \(key.leaf):"
      // Lists stand below their key.
      let (first, rest) = (entry.prefix { $0 != "\n" }, entry.drop { $0 != "\n" })
      text += "  " + String(first).padded(to: 28) + "  # \(key.documentation)\(rest)\n"
    }
    return text
  }

  /// A listing of all keys: values they take, defaults, and what they mean.
  public static let help: String = keys.map { key in
    let value = key.yaml(Configuration()) ?? "none"
    return """
      \(key.name): \(key.values) (default: \(value))
          \(key.documentation)

      """
  }.joined()

  /// All keys as tables of Markdown, one a section, which `docs/configuration.md` ends in.
  static let reference: String = sections.map { section in
    let rows = keys.filter { $0.section == section }.map { key in
      let cells = [
        "`\(key.name)`", key.yaml(Configuration()).map { "`\($0)`" } ?? "", key.values,
        key.documentation,
      ]
      return "| "
        + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }
    return "## \(section)\n\n| key | default | values | meaning |\n|---|---|---|---|\n"
      + rows.joined()
  }.joined(separator: "\n")
}
