import Tensors
import Testing

@testable import Benchmarking

struct CostFitTests {
  private func samples(
    _ kernel: ConvolutionKernel, times: [Double], counts: [[Double]]
  ) -> [CostFit.Sample] {
    counts.map { counts in
      CostFit.Sample(
        terms: CostTerms(kernel: kernel, pass: .forward, ofSpikes: true, counts: counts),
        precision: .float32, nanoseconds: zip(times, counts).reduce(0) { $0 + $1.0 * $1.1 })
    }
  }

  @Test func findsTheTimesThatMakeUpTheMeasurements() throws {
    let events = samples(
      .events, times: [2, 12.5, 103],
      counts: [[100, 25, 10], [400, 25, 80], [3000, 90, 450], [50, 50, 2]])
    let tiles = samples(.tiles, times: [0.5], counts: [[10], [30]])
    let fit = CostFit(events + tiles)
    try #require(fit.rows.map(\.terms.kernel) == [.events, .tiles])
    for (fitted, expected) in zip(fit.rows[0].times, [2, 12.5, 103]) {
      #expect(abs(fitted - expected) < 1e-3 * expected)
    }
    #expect(abs(fit.rows[1].times[0] - 0.5) < 1e-9)
    #expect(fit.rows.allSatisfy { $0.error < 1e-4 })
    #expect(fit.text.contains("(.tiles, .forward, true) float32 [0.500]  // 0.0 %"))
    let few = CostFit(samples(.events, times: [2, 12.5, 103], counts: [[100, 25, 10]]))
    #expect(few.text.contains("too few timings"))
  }

  /// What takes no time would come out below 0 where another part is overestimated.
  @Test func noPartTakesLessThanNothing() {
    let fit = CostFit(
      samples(.events, times: [1, -0.2], counts: [[10, 1], [10, 20], [10, 40]]))
    #expect(fit.rows[0].times[1] == 0 && fit.rows[0].error > 0.1)
  }
}
