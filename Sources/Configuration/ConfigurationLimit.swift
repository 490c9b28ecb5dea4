import Foundation

/// Which values of a type a key takes.
///
/// Every number has a range, so that whatever is computed from a configuration neither overflows nor
/// leaves what libraries can count:
/// - what is counted (iterations, epochs) stays below 2³¹, as MPI, BLAS and random streams count;
/// - samples of a batch travel in the all-reduce as `Float`, which is exact up to 2²⁴;
/// - real numbers are computed with as `Float`, in which those beyond 10^±38 are infinite or 0: up to
///   10^±30 there is room for products, and up to 10¹⁵ for squares.
///
/// What numbers make together, such as channels and pixels, is limited by `NetworkSpecification` and by
/// the memory of the machine (`requireMemory`).
struct Limit<Value: Sendable>: Sendable {
  /// Follows the type's name: " from 1 to 65536".
  let text: String
  /// The least and the greatest value, where there are such.
  var edges: [Value] = []
  let admits: @Sendable (Value) -> Bool

  static var none: Limit { Limit(text: "") { _ in true } }
}

extension Limit<Int> {
  /// Both bounds included.
  static func within(_ range: ClosedRange<Int>) -> Limit {
    Limit(
      text: " from \(range.lowerBound) to \(range.upperBound)",
      edges: [range.lowerBound, range.upperBound]
    ) { range.contains($0) }
  }

  /// Of iterations, epochs and the like.
  static var count: Limit { within(1...Int(Int32.max)) }
  static var countOrNone: Limit { within(0...Int(Int32.max)) }
  /// Samples of a batch.
  static var samples: Limit { within(1...1 << 24) }
  static var channels: Limit { within(1...1 << 16) }
  /// More than any list of classes has.
  static var classes: Limit { within(1...1_000_000) }
  static var timesteps: Limit { within(1...10_000) }
  /// Of an image, in pixels.
  static var side: Limit { within(1...16_384) }
  /// Of a window that slides over an image, in pixels.
  static var kernel: Limit { within(1...1024) }
  static var padding: Limit { within(0...1024) }
  /// As many as the largest machines have.
  static var threads: Limit { within(1...1024) }
}

extension Limit<Double> {
  /// Both bounds included.
  static func within(_ range: ClosedRange<Double>) -> Limit {
    Limit(text: " " + text(range), edges: [range.lowerBound, range.upperBound]) {
      range.contains($0)
    }
  }

  static func text(_ range: ClosedRange<Double>) -> String {
    String(format: "from %g to %g", range.lowerBound, range.upperBound)
  }

  static var any: Limit { within(-1e15...1e15) }
  static var positive: Limit { within(1e-30...1e30) }
  static var notNegative: Limit { within(0...1e30) }
  static var share: Limit { within(0...1) }
  /// Of what is divided into two.
  static var partialShare: Limit { within(0.001...0.999) }
  /// Far more than changes anything.
  static var strength: Limit { within(0...1000) }
  /// Up to two years.
  static var minutes: Limit { within(1e-6...1e6) }
  static var belowOne: Limit {
    Limit(text: " from 0 to below 1", edges: [0, 1.nextDown]) { (0..<1).contains($0) }
  }
  /// A membrane's, in time steps.
  static var timeConstant: Limit {
    Limit(text: " from 1 to 1e+30, or inf", edges: [1, .infinity]) {
      (1...1e30).contains($0) || $0 == .infinity
    }
  }
}

extension Limit<Float> {
  init(_ limit: Limit<Double>) {
    self.init(text: limit.text, edges: limit.edges.map { Float($0) }) { limit.admits(Double($0)) }
  }
}

extension Limit<ClosedRange<Double>> {
  /// Of areas, which are not always none: a millionth is one pixel of a large image.
  static var shares: Limit { inside(0...1, highFrom: 1e-6) }
  /// Of two sides.
  static var ratios: Limit { inside(0.001...1000) }

  /// - Parameter least: that the upper bound may be; nil for that of the range.
  private static func inside(
    _ range: ClosedRange<Double>, highFrom least: Double? = nil
  ) -> Limit {
    let high = (least ?? range.lowerBound)...range.upperBound
    return Limit(
      text: ", " + Limit<Double>.text(range) + (least.map { ", high at least \($0)" } ?? ""),
      edges: [range.lowerBound...high.lowerBound, high.upperBound...high.upperBound]
    ) { range.contains($0.lowerBound) && high.contains($0.upperBound) }
  }
}

extension Limit<[Int]> {
  /// Blocks of the stages of a network.
  static var stages: Limit {
    let (stages, blocks) = (1...16, 1...1000)
    return Limit(
      text: ", \(stages.lowerBound) to \(stages.upperBound) of them, each from"
        + " \(blocks.lowerBound) to \(blocks.upperBound)",
      edges: [
        [blocks.lowerBound], Array(repeating: blocks.upperBound, count: stages.upperBound),
      ]
    ) { stages.contains($0.count) && $0.allSatisfy(blocks.contains) }
  }
}

extension Limit<[Double]> {
  /// Of time steps.
  static var weights: Limit {
    Limit(text: ", each" + Limit<Double>.notNegative.text + ", one above 0") {
      $0.contains { $0 > 0 } && $0.allSatisfy(Limit<Double>.notNegative.admits)
    }
  }
}

extension Limit<String> {
  static var notEmpty: Limit { Limit(text: ", not empty") { !$0.isEmpty } }
}
