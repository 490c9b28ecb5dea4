import Foundation
import Datasets
import Distributed
import SpikingNetworks
import Support
import Tensors
internal import Yams

/// A type of values in configuration files.
protocol ConfigurationValue: Sendable {
  /// What a value is, for messages: "an integer".
  static var kind: String { get }
  /// The allowed texts, if these are few.
  static var choices: [String] { get }
  /// nil if the node is something else.
  init?(_ node: Node)
  /// The value of a node, or why there is none.
  static func read(_ node: Node, limit: Limit<Self>) throws(ConfigurationMisfit) -> Self
  /// The value as YAML that `init` reads back to the same value.
  var yaml: String { get }
}

extension ConfigurationValue {
  static var choices: [String] { [] }

  static func read(_ node: Node, limit: Limit<Self>) throws(ConfigurationMisfit) -> Self {
    guard let value = Self(node), limit.admits(value) else {
      throw ConfigurationMisfit(node, expected: kind + limit.text, choices: choices)
    }
    return value
  }
}

extension Node {
  /// The text of a scalar without quotes; numbers and the like are only looked for there.
  fileprivate var plainText: String? {
    guard let scalar, scalar.style == .plain || scalar.style == .any else { return nil }
    return scalar.string
  }

  /// Whether nothing is written, or only what YAML takes for a comment, an anchor or a tag.
  var isEmpty: Bool { plainText == "" }

  /// Whether it is written that there is no value.
  var isNull: Bool {
    plainText.map { ["~", "null", "Null", "NULL"].contains($0) } ?? false
  }

  /// A text as it is.
  init(text: String) { self.init(text, Tag(.str), .doubleQuoted) }
}

/// What Swift reads and writes as YAML does.
extension ConfigurationValue where Self: LosslessStringConvertible {
  init?(_ node: Node) {
    guard let value = node.plainText.flatMap({ Self($0) }) else { return nil }
    self = value
  }

  var yaml: String { "\(self)" }
}

extension Int: ConfigurationValue {
  static var kind: String { "an integer" }
}

extension UInt64: ConfigurationValue {
  static var kind: String { "an integer from 0 to \(max)" }
}

extension Double: ConfigurationValue {}
extension Float: ConfigurationValue {}

extension ConfigurationValue where Self: BinaryFloatingPoint & LosslessStringConvertible {
  static var kind: String { "a number" }

  init?(_ node: Node) {
    guard let text = node.plainText else { return nil }
    let number = text == ".inf" ? .infinity : Self(text)
    guard let number, !number.isNaN else { return nil }
    self = number
  }

  var yaml: String {
    let text = "\(self)"
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    // YAML 1.1, which PyYAML reads, wants a point: 1.0e-05.
    return text[..<exponent] + ".0" + text[exponent...]
  }
}

extension Bool: ConfigurationValue {
  static var kind: String { "true or false" }
}

extension String: ConfigurationValue {
  static var kind: String { "text" }

  init?(_ node: Node) {
    guard let scalar = node.scalar, !node.isNull else { return nil }
    self = scalar.string
  }

  /// In double quotes. What YAML takes for control characters or ends of lines is escaped.
  var yaml: String {
    let inner = unicodeScalars.map { scalar in
      switch scalar.value {
      case 0x22, 0x5c: "\\\(scalar)"
      case 0x20...0x7e, 0xa0...0x2027, 0x202a...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd,
        0x1_0000...0x10_ffff:
        "\(scalar)"
      default: String(format: "\\U%08x", scalar.value)
      }
    }
    return "\"" + inner.joined() + "\""
  }
}

/// What lists of values may be made of.
protocol ConfigurationElement: Sendable {
  /// What a list of them is, for messages.
  static var listKind: String { get }
  /// - Parameter expected: what the list must be, for messages.
  static func readList(_ node: Node, expected: String) throws(ConfigurationMisfit) -> [Self]
  static func yaml(of list: [Self]) -> String
}

extension Array: ConfigurationValue where Element: ConfigurationElement {
  static var kind: String { Element.listKind }

  init?(_ node: Node) {
    guard let values = try? Element.readList(node, expected: "") else { return nil }
    self = values
  }

  static func read(_ node: Node, limit: Limit<Self>) throws(ConfigurationMisfit) -> Self {
    let expected = kind + limit.text
    let values = try Element.readList(node, expected: expected)
    guard limit.admits(values) else { throw ConfigurationMisfit(node, expected: expected) }
    return values
  }

  var yaml: String { Element.yaml(of: self) }
}

extension Int: ConfigurationElement {
  static var listKind: String { "a list of integers such as [2, 2, 2, 2]" }

  static func readList(_ node: Node, expected: String) throws(ConfigurationMisfit) -> [Int] {
    let values = node.sequence?.compactMap { Int($0) } ?? []
    guard let nodes = node.sequence, values.count == nodes.count else {
      throw ConfigurationMisfit(node, expected: expected)
    }
    return values
  }

  static func yaml(of list: [Int]) -> String { "\(list)" }
}

extension Double: ConfigurationElement {
  static var listKind: String { "a list of numbers such as [0.5, 1]" }

  static func readList(_ node: Node, expected: String) throws(ConfigurationMisfit) -> [Double] {
    let values = node.sequence?.compactMap { Double($0) } ?? []
    guard let nodes = node.sequence, values.count == nodes.count else {
      throw ConfigurationMisfit(node, expected: expected)
    }
    return values
  }

  static func yaml(of list: [Double]) -> String {
    "[" + list.map(\.yaml).joined(separator: ", ") + "]"
  }
}

extension ClosedRange<Double>: ConfigurationValue {
  static var kind: String { "a range [low, high] such as [0.5, 1]" }

  init?(_ node: Node) {
    guard let nodes = node.sequence, nodes.count == 2, let low = Double(nodes[0]),
      let high = Double(nodes[1]), low <= high, low.isFinite, high.isFinite
    else { return nil }
    self = low...high
  }

  var yaml: String { "[\(lowerBound.yaml), \(upperBound.yaml)]" }
}

/// A choice is written as its raw value.
extension ConfigurationValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  static var kind: String { "one of " + choices.joined(separator: ", ") }
  static var choices: [String] { allCases.map(\.rawValue) }

  init?(_ node: Node) {
    guard let text = node.scalar?.string, let value = Self(rawValue: text) else { return nil }
    self = value
  }

  var yaml: String { rawValue }
}

extension Architecture: ConfigurationValue {}
extension NetworkFamily: ConfigurationValue {}
extension StemKind: ConfigurationValue {}
extension NormalizationKind: ConfigurationValue {}
extension NeuronSpecification.Kind: ConfigurationValue {}
extension NeuronSpecification.ThresholdRule: ConfigurationValue {}
extension Reset: ConfigurationValue {}
extension Firing: ConfigurationValue {}
extension SurrogateGradient.Shape: ConfigurationValue {}
extension Configuration.Method.Name: ConfigurationValue {}
extension Configuration.Schedule.Name: ConfigurationValue {}
extension LossSpecification.Kind: ConfigurationValue {}
extension LossSpecification.Target: ConfigurationValue {}
extension Configuration.Optimizer.Name: ConfigurationValue {}
extension Configuration.Training.NonFiniteAction: ConfigurationValue {}
extension Configuration.Checkpointing.ErrorAction: ConfigurationValue {}
extension Precision: ConfigurationValue {}
extension MemoryUse: ConfigurationValue {}
extension WireFormat: ConfigurationValue {}
extension Configuration.Data.Format: ConfigurationValue {}
extension Configuration.Data.Sharding: ConfigurationValue {}
extension Configuration.Data.BadSampleAction: ConfigurationValue {}
extension NormalizationPreset: ConfigurationValue {}
extension ImageDecoding: ConfigurationValue {}
extension AutoAugment.Policy: ConfigurationValue {}
extension EventConvention: ConfigurationValue {}
extension EventNormalization: ConfigurationValue {}
extension FrameRule.Division: ConfigurationValue {}
