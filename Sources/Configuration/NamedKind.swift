internal import Yams

/// A kind of values that are written as `name: {parameter: value}`, such as the steps of an augmentation or
/// the parts of a network.
struct NamedKind<Element: Sendable>: Sendable {
  /// A parameter, for documentation.
  struct Parameter: Sendable {
    let name: String
    /// What values it takes.
    let values: String
    /// As YAML; nil where it has none.
    let standard: String?
    let documentation: String
  }

  let name: String
  let parameters: [Parameter]
  /// The value with the parameters of a mapping; the others have their defaults.
  let read: @Sendable (_ parameters: Node?) throws(ConfigurationMisfit) -> Element
  /// What follows the colon after the name; nil if the value is of another kind.
  let yaml: @Sendable (Element) -> String?

  /// - Parameters:
  ///   - defaults: of the parameters.
  ///   - required: names of parameters that must be given.
  ///   - omitsDefaults: whether parameters at their defaults are not written.
  init<Value: Sendable>(
    _ name: String, _ defaults: Value, required: [String] = [], omitsDefaults: Bool,
    _ fields: [ConfigurationField<Value>],
    wrap: @escaping @Sendable (Value) -> Element,
    unwrap: @escaping @Sendable (Element) -> Value?
  ) {
    self.name = name
    let names = fields.filter { !$0.isFormer }.map(\.name)
    parameters = fields.filter { !$0.isFormer }.map { field in
      let standard = required.contains(field.name) ? nil : field.yaml(defaults)
      return Parameter(
        name: field.name, values: field.values, standard: standard,
        documentation: field.documentation)
    }
    read = { (mapping) throws(ConfigurationMisfit) in
      var value = defaults
      var missing = required
      for (key, node) in try Self.pairs(mapping, example: (required + names)[0]) {
        let name = key.string ?? "?"
        missing.removeAll { $0 == name }
        do throws(ConfigurationMisfit) {
          guard let field = fields.first(where: { $0.name == name }) else {
            throw ConfigurationMisfit(unknown: name, among: names)
          }
          try field.set(node, &value)
        } catch {
          throw error.inside(".\(name)", at: key)
        }
      }
      guard let first = missing.first else { return wrap(value) }
      throw ConfigurationMisfit(.impossible("has no \(first): add it, as in {\(first): …}"))
    }
    yaml = { element in
      guard let value = unwrap(element) else { return nil }
      let entries = fields.compactMap { field in
        field.yaml(value).flatMap { text in
          omitsDefaults && !required.contains(field.name) && text == field.yaml(defaults)
            ? nil : (name: field.name, text: text)
        }
      }
      return Self.yaml(entries)
    }
  }

  private static func pairs(
    _ node: Node?, example: String
  ) throws(ConfigurationMisfit) -> [(key: Node, value: Node)] {
    guard let node, !node.isNull, !node.isEmpty else { return [] }
    guard let mapping = node.mapping else {
      throw ConfigurationMisfit(node, expected: "a mapping such as {\(example): …}")
    }
    return Array(mapping)
  }

  /// In one line, or one entry a line where a value takes several lines.
  private static func yaml(_ entries: [(name: String, text: String)]) -> String {
    guard entries.contains(where: { $0.text.contains("\n") }) else {
      return " {" + entries.map { "\($0.name): \($0.text)" }.joined(separator: ", ") + "}"
    }
    return entries.map { name, text in
      "\n  \(name):" + (text.hasPrefix("\n") ? text.indented(by: 4) : " " + text)
    }.joined()
  }
}

extension NamedKind {
  /// Reads `name: {parameter: value}`, or a name alone.
  ///
  /// - Parameter expected: what a value must be, with an example.
  static func read(
    _ node: Node, of kinds: [NamedKind], expected: String
  ) throws(ConfigurationMisfit) -> Element {
    let entry: (key: Node, value: Node?)
    if node.scalar != nil {
      entry = (node, nil)
    } else if let mapping = node.mapping, let pair = mapping.first {
      entry = (pair.key, pair.value)
      guard mapping.count == 1 else {
        let names = mapping.map { "'\($0.key.string ?? "?")'" }
        throw ConfigurationMisfit(
          .impossible(
            "has the keys \(names.joined(separator: ", ")), but takes one: indent what belongs to"
              + " \(names[0]) further"))
      }
    } else {
      throw ConfigurationMisfit(node, expected: expected)
    }
    let name = entry.key.string ?? "?"
    do throws(ConfigurationMisfit) {
      guard let kind = kinds.first(where: { $0.name == name }) else {
        throw ConfigurationMisfit(unknown: name, among: kinds.map(\.name))
      }
      return try kind.read(entry.value)
    } catch {
      throw error.inside(".\(name)", at: entry.key)
    }
  }

  /// A list of such values.
  static func readList(
    _ nodes: Node.Sequence, of kinds: [NamedKind], expected: String
  ) throws(ConfigurationMisfit) -> [Element] {
    var elements: [Element] = []
    for (index, node) in nodes.enumerated() {
      do throws(ConfigurationMisfit) {
        elements.append(try read(node, of: kinds, expected: expected))
      } catch {
        throw error.inside("[\(index)]", at: node)
      }
    }
    return elements
  }

  /// A list that `readList` reads, one value a line below its key.
  static func yaml(_ elements: [Element], of kinds: [NamedKind]) -> String {
    guard !elements.isEmpty else { return "[]" }
    return elements.map { element in
      for kind in kinds {
        guard let text = kind.yaml(element) else { continue }
        return "\n- \(kind.name):" + text.indented(by: 2)
      }
      preconditionFailure("\(element) is in the list of kinds")
    }.joined()
  }
}

extension String {
  /// With spaces at the beginning of all lines but the first.
  func indented(by spaces: Int) -> String {
    replacing("\n", with: "\n" + String(repeating: " ", count: spaces))
  }
}
