internal import Yams

/// A key of the configuration.
public typealias ConfigurationKey = ConfigurationField<Configuration>

/// A named value of a configuration, or of a part of one with keys of its own: everything that reading,
/// writing and documenting it needs.
public struct ConfigurationField<Root>: Sendable {
  /// For a key of the configuration, section and name: `optimizer.learning_rate`.
  public let name: String
  /// What values it takes: "a number above 0".
  public let values: String
  /// What it means, in one line.
  public let documentation: String
  /// Its value as YAML; nil if it has none.
  let yaml: @Sendable (Root) -> String?
  /// Takes the value of a node, or says why not.
  let set: @Sendable (Node, inout Root) throws(ConfigurationMisfit) -> Void

  /// The name's part before the point.
  var section: Substring { name.prefix { $0 != "." } }
  /// The name's part after the point.
  var leaf: Substring { name.drop { $0 != "." }.dropFirst() }

  /// A key that always has a value.
  init<Value: ConfigurationValue>(
    _ name: String, _ path: WritableKeyPath<Root, Value> & Sendable,
    limit: Limit<Value> = .none, _ documentation: String
  ) {
    self.name = name
    self.documentation = documentation
    values = Value.kind + limit.text
    yaml = { $0[keyPath: path].yaml }
    set = { (node, root) throws(ConfigurationMisfit) in
      root[keyPath: path] = try Value.read(node, limit: limit)
    }
  }

  /// A key that may be left out, or given as `null`.
  init<Value: ConfigurationValue>(
    _ name: String, _ path: WritableKeyPath<Root, Value?> & Sendable,
    limit: Limit<Value> = .none, _ documentation: String
  ) {
    self.name = name
    self.documentation = documentation
    values = Value.kind + limit.text
    yaml = { $0[keyPath: path]?.yaml }
    set = { (node, root) throws(ConfigurationMisfit) in
      root[keyPath: path] = node.isNull ? nil : try Value.read(node, limit: limit)
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
      case .scalar(let scalar): node.isNull ? "empty" : "'\(scalar.string)'"
      case .sequence: "a list"
      case .mapping, .alias: "a mapping"
      }
    problem = .wrongType(found: found, expected: expected)
  }

  /// The same as a part of the part `path` that begins at `node`.
  func inside(_ path: String, at node: Node) -> ConfigurationMisfit {
    var misfit = self
    misfit.path = path + self.path
    misfit.line = line ?? node.mark?.line
    return misfit
  }
}

/// Which values of a type a key takes.
struct Limit<Value>: Sendable {
  /// Follows the type's name: ", at least 1".
  let text: String
  let admits: @Sendable (Value) -> Bool

  static var none: Limit { Limit(text: "") { _ in true } }
}

extension Limit where Value: Comparable & Sendable & CustomStringConvertible {
  static func atLeast(_ bound: Value) -> Limit {
    Limit(text: ", at least \(bound)") { $0 >= bound }
  }
}

extension Limit<Double> {
  static var finite: Limit { Limit(text: "") { $0.isFinite } }
  static var notNegative: Limit { Limit(text: ", at least 0") { $0 >= 0 && $0.isFinite } }
  static var positive: Limit { Limit(text: " above 0") { $0 > 0 && $0.isFinite } }
  static var share: Limit { Limit(text: " from 0 to 1") { (0...1).contains($0) } }
  static var belowOne: Limit { Limit(text: ", at least 0 and below 1") { (0..<1).contains($0) } }
  static var timeConstant: Limit { Limit(text: ", at least 1, or inf") { $0 >= 1 } }
}

extension Limit<Int> {
  static func within(_ range: ClosedRange<Int>) -> Limit {
    Limit(text: " from \(range.lowerBound) to \(range.upperBound)") { range.contains($0) }
  }
}

extension Limit<ClosedRange<Double>> {
  static var shares: Limit {
    Limit(text: ", from 0 to 1") { $0.lowerBound >= 0 && $0.upperBound <= 1 }
  }
  static var positive: Limit { Limit(text: ", above 0") { $0.lowerBound > 0 } }
}

extension Limit<[Int]> {
  static var counts: Limit {
    Limit(text: ", each at least 1") { list in !list.isEmpty && list.allSatisfy { $0 >= 1 } }
  }
}

extension Limit<String> {
  static var notEmpty: Limit { Limit(text: ", not empty") { !$0.isEmpty } }
}
