import Distributed

/// What was measured of a network of several levels as it is and unrolled, and how far the two agree.
struct UnrollingMetrics {
  var levels: IterationMetrics
  var unrolled: IterationMetrics
  /// Samples whose predicted class is the same.
  private(set) var agreeing = 0
  /// Of logits summed over the time steps, the largest difference between the two.
  private(set) var largestDifference: Float = 0
  /// The largest of those of the levels, in magnitude.
  private(set) var largestLogit: Float = 0

  /// - Parameter nothing: what is measured of the network before it has run.
  init(nothing: IterationMetrics) { (levels, unrolled) = (nothing, nothing) }

  /// Share of the samples whose predicted class is the same.
  var agreement: Double { levels.samples > 0 ? Double(agreeing) / levels.samples : 0 }

  /// Compares the summed logits [N, classes] of some samples.
  mutating func compare(_ logits: [Float], unrolled: [Float], samples: Int) {
    guard samples > 0 else { return }
    let classes = logits.count / samples
    for first in stride(from: 0, to: logits.count, by: classes) {
      let places = first..<first + classes
      func prediction(_ logits: [Float]) -> Int { places.max { logits[$0] < logits[$1] }! }
      if prediction(logits) == prediction(unrolled) { agreeing += 1 }
    }
    for (a, b) in zip(logits, unrolled) {
      // What is not a number is as far away as anything.
      let difference = abs(a - b)
      largestDifference = max(largestDifference, difference.isNaN ? .infinity : difference)
      largestLogit = max(largestLogit, abs(a))
    }
  }

  /// What all ranks measured. A collective.
  ///
  /// - Parameter sum: adds up metrics over the ranks.
  func together(
    _ communicator: any Communicator, sum: (IterationMetrics) throws -> IterationMetrics
  ) throws -> UnrollingMetrics {
    func largest(_ value: Float) throws -> Float {
      try communicator.allGather(UInt64(value.bitPattern))
        .map { Float(bitPattern: UInt32($0)) }.max() ?? value
    }
    var all = self
    all.levels = try sum(levels)
    all.unrolled = try sum(unrolled)
    all.agreeing = try communicator.sum([agreeing])[0]
    all.largestDifference = try largest(largestDifference)
    all.largestLogit = try largest(largestLogit)
    return all
  }
}
