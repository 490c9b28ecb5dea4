import Testing

@testable import Benchmarking

struct ScalingModelTests {
  private let model = ScalingModel(latency: 5e-6, bandwidth: 2e9)

  private func samples(_ model: ScalingModel, factor: (Int) -> Double = { _ in 1 })
    -> [ScalingModel.Sample]
  {
    let sizes = [(2, 4000), (2, 400_000), (2, 40_000_000), (4, 4000), (4, 40_000_000)]
    return sizes.enumerated().map { index, size in
      let chunks = (size.1 + 1_599_999) / 1_600_000
      return ScalingModel.Sample(
        ranks: size.0, bytes: size.1, chunks: chunks,
        seconds: factor(index) * model.seconds(ranks: size.0, bytes: size.1, chunks: chunks))
    }
  }

  @Test func costsAreThoseOfHalvingAndDoubling() {
    #expect(model.seconds(ranks: 1, bytes: 1_000_000, chunks: 3) == 0)
    // 2 · 3 messages for each of 4 chunks, and 2 · 7/8 of the bytes.
    let seconds = model.seconds(ranks: 8, bytes: 8_000_000, chunks: 4)
    #expect(abs(seconds - (24 * 5e-6 + 14_000_000 / 2e9)) < 1e-12)
  }

  @Test func fitFindsWhatMadeTheTimes() throws {
    let fitted = try #require(ScalingModel.fit(samples(model)))
    #expect(abs(fitted.latency / model.latency - 1) < 1e-6)
    #expect(abs(fitted.bandwidth / model.bandwidth - 1) < 1e-6)
  }

  @Test func fitBearsNoise() throws {
    let fitted = try #require(ScalingModel.fit(samples(model) { $0 % 2 == 0 ? 1.1 : 0.9 }))
    #expect(abs(fitted.latency / model.latency - 1) < 0.2)
    #expect(abs(fitted.bandwidth / model.bandwidth - 1) < 0.2)
  }

  @Test func fitNeedsSeveralRanks() {
    #expect(ScalingModel.fit([]) == nil)
    #expect(ScalingModel.fit([.init(ranks: 1, bytes: 4, chunks: 1, seconds: 1)]) == nil)
  }

  @Test func neitherLatencyNorBandwidthIsNegative() throws {
    // Ten times the bytes in more than ten times the time.
    let slow = [
      ScalingModel.Sample(ranks: 2, bytes: 1000, chunks: 1, seconds: 1e-6),
      .init(ranks: 2, bytes: 10_000, chunks: 1, seconds: 1e-4),
    ]
    #expect(try #require(ScalingModel.fit(slow)).latency == 0)
    // More bytes in less time.
    let strange = [
      ScalingModel.Sample(ranks: 2, bytes: 1000, chunks: 1, seconds: 2e-6),
      .init(ranks: 2, bytes: 10_000, chunks: 1, seconds: 1e-6),
    ]
    let fitted = try #require(ScalingModel.fit(strange))
    #expect(fitted.latency > 0 && fitted.bandwidth > 0)
    // One shape of sample tells nothing of latency.
    let one = try #require(ScalingModel.fit([slow[0]]))
    #expect(one.latency == 0 && abs(one.bandwidth / 1e9 - 1) < 1e-6)
  }

  @Test func efficiencyFallsWithRanksAndRisesWithBandwidth() {
    func efficiency(_ ranks: Int, _ model: ScalingModel) -> Double {
      model.weakEfficiency(ranks: ranks, bytes: 40_000_000, chunks: 25, stepSeconds: 0.5)
    }
    let falling = [1, 2, 8, 4096].map { efficiency($0, model) }
    #expect(falling[0] == 1 && zip(falling, falling.dropFirst()).allSatisfy { $0 > $1 })
    #expect(efficiency(64, ScalingModel(latency: 5e-6, bandwidth: 4e9)) > efficiency(64, model))
  }
}
