/// The name of a part in its group: letters, digits, `_` and `-`. It has no point, so that a path tells the
/// groups apart, and equal paths come from equal names only.
public struct PartName: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  /// `nil` where `text` is no such name.
  public init?(_ text: String) {
    let isAllowed = text.utf8.allSatisfy { byte in
      switch UInt8(byte) {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    guard isAllowed, !text.isEmpty else { return nil }
    description = text
  }
}

extension PartName: ExpressibleByStringInterpolation {
  /// - Precondition: `value` is such a name.
  public init(stringLiteral value: String) { self.init(value)! }
}
