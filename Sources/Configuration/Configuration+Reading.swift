import Datasets
import Foundation
import Support
internal import Yams

extension Configuration {
  /// The defaults, changed by a file, changed by overrides, and checked.
  ///
  /// - Parameters:
  ///   - path: of a YAML file; nil for none.
  ///   - overrides: `key.path=value`, later ones win.
  /// - Throws: `ConfigurationError`.
  public init(file path: String?, overrides: [String] = []) throws {
    self.init()
    if let path {
      try apply(file: path)
    }
    try apply(overrides: overrides)
    try validate()
  }

  /// Takes the values of a YAML file; what it leaves out stays as it is. Does not `validate`.
  public mutating func apply(file path: String) throws {
    func unreadable(_ reason: String) -> ConfigurationError {
      ConfigurationError(
        key: "", origin: .file(path, line: nil), problem: .unreadable(reason: reason))
    }
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
      isDirectory.boolValue
    {
      throw unreadable("it is a directory; name a YAML file, such as those in configs/")
    }
    let content: Foundation.Data?
    do {
      content = try contentsOfFile(path)
    } catch {
      throw unreadable(systemReason(of: error))
    }
    guard let bytes = content else { throw unreadable("no such file") }
    guard let text = String(data: bytes, encoding: .utf8) else {
      throw unreadable("it is not UTF-8 text")
    }
    guard text.contains(where: { !$0.isWhitespace }) else { throw unreadable("it is empty") }
    try apply(yaml: text, from: path)
  }

  /// Takes the values of a YAML text; what it leaves out stays as it is. Does not `validate`.
  ///
  /// - Parameter source: the text's file or other name, for messages.
  public mutating func apply(yaml text: String, from source: String) throws {
    func error(_ key: String, at node: Node?, _ problem: ConfigurationError.Problem)
      -> ConfigurationError
    {
      ConfigurationError(
        key: key, origin: .file(source, line: node?.mark?.line), problem: problem)
    }
    func pairs(_ name: String, _ node: Node) throws -> [(key: Node, value: Node)] {
      guard let mapping = node.mapping else {
        if node.isEmpty || node.isNull { return [] }  // A file or a section without entries.
        throw error(name, at: node, .wrongType(found: "a value", expected: "a mapping of keys"))
      }
      return Array(mapping)
    }

    let root = try compose(text) { .file(source, line: $0) }
    var layer = Layer()
    for (sectionNode, content) in try pairs("the configuration", root) {
      let section = sectionNode.string ?? "?"
      guard Self.sections.contains(section) else {
        let isValue = content.mapping == nil
        let nearest = nearestName(
          to: section, in: Self.sections + (isValue ? Self.keys.map(\.name) : []))
        throw error(section, at: sectionNode, .unknownKey(nearest: nearest))
      }
      for (leaf, value) in try pairs(section, content) {
        let name = "\(section).\(leaf.string ?? "?")"
        layer.append(
          .init(name: name, value: value, origin: .file(source, line: leaf.mark?.line)))
      }
    }
    try apply(layer)
  }

  /// Takes values given as `key.path=value`; later ones win. Of a key of text the value is all that
  /// follows the first `=`, as it is; other values are YAML. Does not `validate`.
  public mutating func apply(overrides: [String]) throws {
    var layer = Layer()
    for argument in overrides {
      let origin = ConfigurationError.Origin.override(argument)
      // Bytes, since a character may be `=` with an accent that begins the value.
      guard let equals = argument.utf8.firstIndex(of: UInt8(ascii: "=")),
        equals > argument.startIndex
      else {
        throw ConfigurationError(
          key: "", origin: origin,
          problem: .incompleteOverride(hasEquals: argument.utf8.contains(UInt8(ascii: "="))))
      }
      let name = String(argument[..<equals])
      let text = String(argument[argument.utf8.index(after: equals)...])
      layer.append(try entry(name, text, origin))
    }
    try apply(layer)
  }

  /// Takes a value that an option of its own gives, such as `--data` does `data.path`. Does not `validate`.
  public mutating func apply(_ name: String, _ text: String, option: String) throws {
    try apply([try entry(name, text, .option("\(option) \(text)"))])
  }

  private func entry(
    _ name: String, _ text: String, _ origin: ConfigurationError.Origin
  ) throws -> Entry {
    let isText = Self.keys.contains { $0.name == name && $0.isText } && !text.isEmpty
    let value = isText ? Node(text: text) : try compose(text) { _ in origin }
    return Entry(name: name, value: value, origin: origin)
  }

  private func compose(
    _ yaml: String, origin: (_ line: Int?) -> ConfigurationError.Origin
  ) throws -> Node {
    func error(_ problem: ConfigurationError.Problem, _ key: String = "", line: Int?)
      -> ConfigurationError
    {
      ConfigurationError(key: key, origin: origin(line), problem: problem)
    }
    do {
      return try Yams.compose(yaml: yaml) ?? Node("", .implicit, .plain)
    } catch let failure as YamlError {
      switch failure {
      case .duplicatedKeysInMapping(let names, let context):
        throw error(.duplicateKey, names.first ?? "", line: context.mark.line)
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        throw error(.invalidYAML(problem), line: mark.line)
      case .reader(let problem, _, _, _):
        throw error(.invalidYAML(problem), line: nil)
      default:
        throw error(.invalidYAML("\(failure)"), line: nil)
      }
    }
  }

  /// Entries of one file, or of one command line.
  private typealias Layer = [Entry]

  private struct Entry {
    let name: String
    let value: Node
    let origin: ConfigurationError.Origin
  }

  private mutating func apply(_ layer: Layer) throws {
    dropAlternatives(to: Set(layer.filter { !$0.value.isNull }.map(\.name)))
    for entry in layer {
      func error(_ problem: ConfigurationError.Problem) -> ConfigurationError {
        ConfigurationError(key: entry.name, origin: entry.origin, problem: problem)
      }
      guard let key = Self.readable.first(where: { $0.name == entry.name }) else {
        guard !Self.sections.contains(entry.name) else { throw error(.isSection) }
        let names = Self.keys.map(\.name)
        throw error(.unknownKey(nearest: nearestName(to: entry.name, in: names)))
      }
      do throws(ConfigurationMisfit) {
        try key.set(entry.value, &self)
      } catch {
        throw ConfigurationError(
          key: entry.name + error.path, origin: entry.origin.at(line: error.line),
          problem: error.problem)
      }
      origins[entry.name] = entry.origin
    }
    data.path = data.path.map(expandingHome)
    distill.checkpoint = distill.checkpoint.map(expandingHome)
    if !layer.contains(where: { $0.name == "method.k" }),
      layer.contains(where: { $0.name == "method.name" }), method.name != .slttK
    {
      method.k = nil
    }
  }

  /// Some keys exclude each other. What a new layer sets takes the place of such keys in earlier
  /// layers, so that `--set model.architecture=vgg11` works on any file; within one layer they are
  /// a contradiction, which `validate` reports.
  mutating func dropAlternatives(to names: Set<String>) {
    if names.contains("model.layers") {
      (model.architecture, model.family, model.blocks, model.width) = (nil, nil, nil, nil)
    } else if !names.isDisjoint(with: ["model.architecture", "model.family", "model.blocks"]) {
      model.layers = nil
      model.width = model.width ?? Configuration().model.width
    }
    if names.contains("model.architecture") {
      model.family = nil
    }
    if names.contains("model.architecture") || names.contains("model.family") {
      model.blocks = nil
    }
    if names.contains("model.family") || names.contains("model.blocks") {
      model.architecture = nil
    }
  }
}
