import Support

extension Configuration {
  /// The whole configuration as YAML that reads back to an equal one, with a comment on each key.
  /// Keys without a value are commented out, or null where they would get their default value.
  public var yaml: String {
    // What the text is read on top of.
    var standard = Configuration()
    standard.dropAlternatives(to: Set(Self.keys.filter { $0.yaml(self) != nil }.map(\.name)))
    var text = ""
    var section: Substring = ""
    for key in Self.keys {
      if key.section != section {
        text += (section.isEmpty ? "" : "\n") + "\(key.section):\n"
        section = key.section
      }
      let value = key.yaml(self) ?? (key.yaml(standard) == nil ? nil : "null")
      let entry = value.map { "\(key.leaf): \($0)" } ?? "# \(key.leaf):"
      // Lists stand below their key.
      let (first, rest) = (entry.prefix { $0 != "\n" }, entry.drop { $0 != "\n" })
      text +=
        "  " + String(first).padded(to: 28) + "  # \(key.documentation)"
        + String(rest).indented(by: 4) + "\n"
    }
    return text
  }

  /// A listing of all keys: values they take, defaults, and what they mean.
  public static let help: String = keys.map { key in
    let value = key.yaml(Configuration()) ?? "not set"
    return """
      \(key.name): \(key.values) (default: \(value))
          \(key.documentation)

      """
  }.joined()

  /// All keys as tables of Markdown, one a section, which `docs/configuration.md` ends in; and one of the
  /// parts of `model.layers`.
  static let reference: String = {
    let standard = Configuration()
    let tables = sections.map { section in
      "## \(section)\n\n"
        + markdown(
          ["key", "default", "values", "meaning"],
          keys.filter { $0.section == section }.map { key in
            ["`\(key.name)`", code(key.yaml(standard)), key.values, key.documentation]
          })
    }
    let parts = PartKind.all.flatMap { part in
      part.parameters.map { parameter in
        [
          "`\(part.name)`", "`\(parameter.name)`", code(parameter.standard), parameter.values,
          parameter.documentation,
        ]
      }
    }
    return tables.joined(separator: "\n") + "\n## Parts of model.layers\n\n"
      + markdown(["part", "parameter", "default", "values", "meaning"], parts)
  }()

  private static func code(_ text: String?) -> String { text.map { "`\($0)`" } ?? "" }

  private static func markdown(_ heads: [String], _ rows: [[String]]) -> String {
    let separator = Array(repeating: "---", count: heads.count)
    return "| \(heads.joined(separator: " | ")) |\n|\(separator.joined(separator: "|"))|\n"
      + rows.map { row in
        "| " + row.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
      }.joined()
  }
}
