/// The numbers in which gradients travel from rank to rank.
public enum WireFormat: String, CaseIterable, Codable, Sendable {
  /// As they are.
  case float32
  /// Rounded to the nearest, which halves the bytes; added up in float32.
  case bfloat16

  /// Of a number.
  public var bytes: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    }
  }
}
