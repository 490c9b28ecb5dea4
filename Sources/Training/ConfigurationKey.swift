internal import Yams

/// A key of the configuration: everything that reading, writing and documenting it needs.
public struct ConfigurationKey: Sendable {
  /// Section and name: `optimizer.learning_rate`.
  public let name: String
  /// What values it takes: "a number above 0".
  public let values: String
  /// What it means, in one line.
  public let documentation: String
  /// Its value as YAML; nil if it has none.
  let yaml: @Sendable (Configuration) -> String?
  /// Takes the value of a node, or says why not.
  let set: @Sendable (Node, inout Configuration) -> ConfigurationError.Problem?

  /// The name's part before the point.
  var section: Substring { name.prefix { $0 != "." } }
  /// The name's part after the point.
  var leaf: Substring { name.drop { $0 != "." }.dropFirst() }

  /// A key that always has a value.
  init<Value: ConfigurationValue>(
    _ name: String, _ path: WritableKeyPath<Configuration, Value> & Sendable,
    limit: Limit<Value> = .none, _ documentation: String
  ) {
    self.name = name
    self.documentation = documentation
    values = Value.kind + limit.text
    yaml = { $0[keyPath: path].yaml }
    set = { node, configuration in
      Self.read(node, limit) { configuration[keyPath: path] = $0 }
    }
  }

  /// A key that may be left out, or given as `null`.
  init<Value: ConfigurationValue>(
    _ name: String, _ path: WritableKeyPath<Configuration, Value?> & Sendable,
    limit: Limit<Value> = .none, _ documentation: String
  ) {
    self.name = name
    self.documentation = documentation
    values = Value.kind + limit.text
    yaml = { $0[keyPath: path]?.yaml }
    set = { node, configuration in
      if node.isNull {
        configuration[keyPath: path] = nil
        return nil
      }
      return Self.read(node, limit) { configuration[keyPath: path] = $0 }
    }
  }

  private static func read<Value: ConfigurationValue>(
    _ node: Node, _ limit: Limit<Value>, assign: (Value) -> Void
  ) -> ConfigurationError.Problem? {
    if let value = Value(node), limit.admits(value) {
      assign(value)
      return nil
    }
    let found =
      switch node {
      case .scalar(let scalar): node.isNull ? "empty" : "'\(scalar.string)'"
      case .sequence: "a list"
      case .mapping, .alias: "a mapping"
      }
    if let text = node.scalar?.string, !node.isNull, !Value.choices.isEmpty {
      return .notAllowed(
        found: text, allowed: Value.choices, nearest: nearestName(to: text, in: Value.choices))
    }
    return .wrongType(found: found, expected: Value.kind + limit.text)
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

extension Limit<[Int]> {
  static var counts: Limit {
    Limit(text: ", each at least 1") { list in !list.isEmpty && list.allSatisfy { $0 >= 1 } }
  }
}

extension Limit<String> {
  static var notEmpty: Limit { Limit(text: ", not empty") { !$0.isEmpty } }
}
