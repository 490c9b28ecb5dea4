/// How computed numbers lie beside those of a plain loop, against what float rounding allows.
///
/// A sum of n products of floats, added up in whatever order, with or without fused multiplications, is
/// off by at most `n u / (1 - n u)` times the sum of the products' magnitudes, with `u = 2^-24` (Higham,
/// "Accuracy and Stability of Numerical Algorithms", section 3.1). What exceeds that is wrong, whatever
/// library and CPU computed it.
public struct RoundingCheck: Sendable, Equatable {
  /// The worst difference as a share of its bound; infinite where a number is missing or is none.
  public private(set) var worst = 0.0
  /// Where that is, and what stands there.
  public private(set) var element = 0
  public private(set) var actual: Float = 0
  public private(set) var expected: Float = 0

  /// Whether rounding explains all differences.
  public var isCorrect: Bool { worst <= 1 }

  /// - Parameters:
  ///   - magnitudes: the sums of the products' magnitudes.
  ///   - roundings: of which each number may have seen so many.
  package init(_ actual: [Float], _ expected: [Float], magnitudes: [Float], roundings: Int) {
    guard actual.count == expected.count else {
      worst = .infinity
      return
    }
    // Two more: what it is compared with, and its bound, are rounded to floats themselves.
    let units = Double(roundings + 2) * 0x1p-24
    let factor = units / (1 - units)
    for index in actual.indices {
      let error = abs(Double(actual[index]) - Double(expected[index]))
      guard error != 0 else { continue }
      let bound = factor * Double(magnitudes[index])
      let share = error.isFinite ? error / bound : .infinity
      guard share > worst else { continue }
      (worst, element) = (share, index)
      (self.actual, self.expected) = (actual[index], expected[index])
    }
  }

  /// The worst of several.
  init(worstOf checks: [RoundingCheck]) {
    self = checks.max { $0.worst < $1.worst }!
  }
}
