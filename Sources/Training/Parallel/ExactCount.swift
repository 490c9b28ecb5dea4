import Distributed
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

extension Communicator {
  /// Returns the sums of what the ranks counted, element by element. A collective.
  func sum(_ counts: [Int]) throws -> [Int] {
    let buffer = FlatBuffer(count: ExactCount.floats * counts.count)
    func place(_ index: Int) -> FloatView {
      buffer.all[ExactCount.floats * index..<ExactCount.floats * (index + 1)]
    }
    for (index, count) in counts.enumerated() { ExactCount.write(count, to: place(index)) }
    try buffer.all.withUnsafeMutableBufferPointer { try allReduceSum($0) }
    return counts.indices.map { ExactCount.read(from: place($0)) }
  }
}
