import Tensors

/// A whole number as floats that are added up over the ranks without rounding: up to 2^48 in all, on up to
/// 4,096 ranks.
enum ExactCount {
  /// Floats that a number takes.
  static let floats = 3
  /// Bits of each but the last.
  private static let bits = 12

  static func write(_ count: Int, to view: FloatView) {
    for piece in 0..<floats {
      let rest = count >> (piece * bits)
      view[piece] = Float(piece < floats - 1 ? rest & (1 << bits - 1) : rest)
    }
  }

  /// The number, or the sum of those that were written on the ranks.
  static func read(from view: FloatView) -> Int {
    (0..<floats).reduce(0) { $0 + Int(view[$1]) << ($1 * bits) }
  }
}
