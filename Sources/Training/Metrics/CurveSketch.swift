/// A curve of any length in a few points, each the mean of as many values.
struct CurveSketch {
  private let mostPoints: Int
  private var sums: [Double] = []
  /// Values that each point but the last stands for, and that the last does.
  private var (span, lastCount) = (1, 0)
  /// The value that was added last.
  private(set) var latest: Double?

  init(mostPoints: Int) { self.mostPoints = mostPoints }

  mutating func add(_ value: Double) {
    latest = value
    if sums.isEmpty || lastCount == span {
      if sums.count == mostPoints { halve() }
      sums.append(0)
      lastCount = 0
    }
    sums[sums.count - 1] += value
    lastCount += 1
  }

  var points: [Double] {
    sums.enumerated().map { $1 / Double($0 == sums.count - 1 ? lastCount : span) }
  }

  private mutating func halve() {
    sums = stride(from: 0, to: sums.count, by: 2).map { sums[$0] + sums[$0 + 1] }
    span *= 2
  }
}
