internal import Yams

/// A key of the configuration.
public typealias ConfigurationKey = ConfigurationField<Configuration>

/// A named value of a configuration, or of a part of one with keys of its own: everything that reading,
/// writing and documenting it needs.
public struct ConfigurationField<Root>: Sendable {
  /// For a key of the configuration, section and name: `optimizer.learning_rate`.
  public let name: String
  /// What values it takes: "an integer from 1 to 65536".
  public let values: String
  /// Whether values are text, which `--set` takes as it is; all others are YAML.
  public let isText: Bool
  /// The values at the ends of the range, as YAML; none where there is no range.
  let edges: [String]
  /// Whether a run has to keep its value when it goes on.
  public let isFixedInRun: Bool
  /// Whether it is read only, from files of earlier versions.
  let isFormer: Bool
  /// What it means, in one line.
  public let documentation: String
  /// Its value as YAML; nil if it has none.
  public let yaml: @Sendable (Root) -> String?
  /// Takes the value of a node, or says why not.
  let set: @Sendable (Node, inout Root) throws(ConfigurationMisfit) -> Void

  /// The name's part before the point.
  var section: Substring { name.prefix { $0 != "." } }
  /// The name's part after the point.
  var leaf: Substring { name.drop { $0 != "." }.dropFirst() }

  /// A key that always has a value.
  init<Value: ConfigurationValue>(
    _ name: String, _ path: WritableKeyPath<Root, Value> & Sendable,
    limit: Limit<Value> = .none, isFixedInRun: Bool = false, _ documentation: String
  ) {
    self.init(name, documentation, limit, isFixedInRun) {
      $0[keyPath: path].yaml
    } set: { (node, root) throws(ConfigurationMisfit) in
      root[keyPath: path] = try Value.read(node, limit: limit)
    }
  }

  /// A key that may be left out, or given as `null`.
  init<Value: ConfigurationValue>(
    _ name: String, _ path: WritableKeyPath<Root, Value?> & Sendable,
    limit: Limit<Value> = .none, isFixedInRun: Bool = false, isFormer: Bool = false,
    _ documentation: String
  ) {
    self.init(name, documentation, limit, isFixedInRun, isFormer: isFormer) {
      $0[keyPath: path]?.yaml
    } set: { (node, root) throws(ConfigurationMisfit) in
      root[keyPath: path] = node.isNull ? nil : try Value.read(node, limit: limit)
    }
  }

  private init<Value: ConfigurationValue>(
    _ name: String, _ documentation: String, _ limit: Limit<Value>, _ isFixedInRun: Bool,
    isFormer: Bool = false, yaml: @escaping @Sendable (Root) -> String?,
    set: @escaping @Sendable (Node, inout Root) throws(ConfigurationMisfit) -> Void
  ) {
    self.name = name
    self.documentation = documentation
    self.isFixedInRun = isFixedInRun
    self.isFormer = isFormer
    values = Value.kind + limit.text
    isText = Value.self == String.self
    edges = limit.edges.map(\.yaml)
    self.yaml = yaml
    self.set = { (node, root) throws(ConfigurationMisfit) in
      guard !node.isEmpty else { throw ConfigurationMisfit(.noValue) }
      try set(node, &root)
    }
  }
}

/// Why a key does not take a value, or a part of it.
struct ConfigurationMisfit: Error {
  /// The part, to follow the key's name: `[1].cutout`.
  var path = ""
  /// Where the part is in the file; nil for the whole value.
  var line: Int?
  let problem: ConfigurationError.Problem

  init(_ problem: ConfigurationError.Problem) {
    self.problem = problem
  }

  /// - Parameters:
  ///   - expected: what a value must be.
  ///   - choices: the allowed texts, if these are few.
  init(_ node: Node, expected: String, choices: [String] = []) {
    if let text = node.scalar?.string, !node.isNull, !choices.isEmpty {
      problem = .notAllowed(
        found: text, allowed: choices, nearest: nearestName(to: text, in: choices))
      return
    }
    let found =
      switch node {
      case .scalar(let scalar): node.isNull ? "null" : "'\(scalar.string)'"
      case .sequence(let list): Self.text(of: list)
      case .mapping, .alias: "a mapping"
      }
    problem = .wrongType(found: found, expected: expected)
  }

  /// A name that is none of those allowed.
  init(unknown name: String, among allowed: [String]) {
    problem = .unknownKey(nearest: nearestName(to: name, in: allowed), allowed: allowed)
  }

  private static func text(of list: Node.Sequence) -> String {
    let values = list.compactMap { $0.scalar?.string }
    guard values.count == list.count, values.count <= 8 else { return "a list" }
    return "[\(values.joined(separator: ", "))]"
  }

  /// The same as a part of the part `path` that begins at `node`.
  func inside(_ path: String, at node: Node) -> ConfigurationMisfit {
    var misfit = self
    misfit.path = path + self.path
    misfit.line = line ?? node.mark?.line
    return misfit
  }
}
