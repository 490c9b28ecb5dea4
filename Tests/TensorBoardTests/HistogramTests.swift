import Testing

@testable import TensorBoard

struct HistogramTests {
  private func made(of values: [Float]) -> Histogram? {
    values.withUnsafeBufferPointer { Histogram($0) }
  }

  @Test func everyFiniteValueIsInTheBucketOfItsEdges() throws {
    let values = (0..<1000).map { Float(($0 * 7919) % 1000) / 8 - 40 }
    let histogram = try #require(made(of: values + [.nan, .infinity, -.infinity]))
    #expect(histogram.least == -40 && histogram.greatest == 84.875)
    #expect(histogram.counts.count == 64 && histogram.limits.last == 84.875)
    var from = -Double.infinity
    for (count, limit) in zip(histogram.counts, histogram.limits) {
      let expected = values.count { Double($0) >= from && Double($0) < limit }
      #expect(abs(count - expected) <= 1)
      from = limit
    }
    #expect(histogram.counts.reduce(0, +) == values.count)
    #expect(histogram.sum == values.reduce(0) { $0 + Double($1) })
    #expect(histogram.sumOfSquares == values.reduce(0) { $0 + Double($1) * Double($1) })
  }

  @Test func equalValuesHaveOneBucket() throws {
    let histogram = try #require(made(of: [2, 2, 2]))
    #expect(histogram.counts == [3] && histogram.limits == [2] && histogram.least == 2)
  }

  /// Neither nothing nor what is not finite has edges.
  @Test(arguments: [[], [.nan], [.infinity, -.infinity]] as [[Float]])
  func someValuesHaveNone(_ values: [Float]) { #expect(made(of: values) == nil) }

  /// The greatest numbers, and some that are almost equal, stay in their buckets.
  @Test(
    arguments: [[-3e38, 3e38], [1, 1 + .ulpOfOne], [0, .leastNormalMagnitude]] as [[Float]])
  func extremesFit(_ values: [Float]) throws {
    let histogram = try #require(made(of: values))
    #expect(histogram.counts.first == 1 && histogram.counts.last == 1)
  }
}
