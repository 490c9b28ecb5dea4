import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct OnlineNormTests {
  private let bench = NormalizationBench(OnlineNorm.init)
  private var norm: OnlineNorm { bench.norm }

  init() { norm.runningVariance.values.assign([0.5, 1, 2, 3, 4]) }

  /// `w (x - M) / sqrt(V + ε) + b`
  private func byRunningStatistics(_ x: [Float]) -> [Float] {
    x.enumerated().map {
      let c = $0 % bench.shape.c
      let deviation = (norm.runningVariance.values[c] + 1e-4).squareRoot()
      return norm.weight.values[c] * ($1 - norm.runningMean.values[c]) / deviation
        + norm.bias.values[c]
    }
  }

  private func takeMoments(
    of bench: NormalizationBench<OnlineNorm>, share: Double
  ) -> (first: [Float], second: [Float]) {
    let (first, second) = (view(bench.statistics[0]), view(bench.statistics[0]))
    bench.norm.takeMoments(first: first, second: second, share: share)
    return (first.elements, second.elements)
  }

  @Test func valuesAreByRunningStatistics() {
    let (x, before) = (bench.values(seed: 1), bench.statistics)
    var tape = bench.tape()
    expectClose(bench.normalised(x, &tape), byRunningStatistics(x), "training")
    #expect(bench.statistics == before)
    _ = takeMoments(of: bench, share: 1)

    var evaluation = bench.tape(isTraining: false)
    expectClose(bench.normalised(x, &evaluation), byRunningStatistics(x), "evaluation")
    #expect(evaluation.bytes == 0)
    let moments = takeMoments(of: bench, share: 1)
    #expect((moments.first + moments.second).allSatisfy { $0 == 0 }, "evaluation does not count")
  }

  /// What a channel's running variance is, so that a lies within its bounds or outside.
  enum Ratio: CaseIterable { case inside, tooSmall, tooLarge }

  /// `y = w (a x̂ + β) + b` with constants a and β; outside of the bounds, w and b have `w x̂ + b`.
  @Test(arguments: Ratio.allCases) func gradientsAreFiniteDifferences(_ ratio: Ratio) {
    switch ratio {
    case .inside: break
    case .tooSmall: norm.runningVariance.values[3] = 1e5
    case .tooLarge: norm.runningVariance.values[3] = 0
    }
    let (shape, probe) = (bench.shape, Probe(bench.shape.count))
    let x = view(bench.values(seed: 2))
    func deviation(_ variance: Double) -> Double { (variance + 1e-4).squareRoot() }
    let constants = bench.moments(x.elements).enumerated().map { c, own in
      let running = deviation(Double(norm.runningVariance.values[c]))
      return (
        a: deviation(own.variance) / running,
        β: (own.mean - Double(norm.runningMean.values[c])) / running
      )
    }
    #expect(constants.allSatisfy { (0.05...20).contains($0.a) } == (ratio == .inside))
    func values(hasConstants: Bool) -> [Float] {
      let own = bench.moments(x.elements)
      return x.elements.enumerated().map { index, x in
        let c = index % shape.c
        let normalised = (Double(x) - own[c].mean) / deviation(own[c].variance)
        let inner = hasConstants ? constants[c].a * normalised + constants[c].β : normalised
        return norm.weight.values[c] * Float(inner) + norm.bias.values[c]
      }
    }
    let isInside = ratio == .inside
    let numericalX = numericalGradient(x) { probe.value(values(hasConstants: true)) }
    let numericalOthers = [norm.weight, norm.bias].map {
      numericalGradient($0.values) { probe.value(values(hasConstants: isInside)) }
    }

    var tape = bench.tape()
    expectClose(bench.normalised(x.elements, &tape), values(hasConstants: isInside), "y")
    let gx = bench.gradient(probe.factors, input: x.elements, &tape)
    for c in 0..<shape.c {
      // Channels differ in the size of their gradients.
      func own(_ values: [Float]) -> [Float] {
        stride(from: c, to: values.count, by: shape.c).map { values[$0] }
      }
      expectClose(own(gx), own(numericalX), tolerance: 3e-3, "x, channel \(c)")
    }
    expectClose(norm.weight.gradient.elements, numericalOthers[0], tolerance: 1e-3, "weight")
    expectClose(norm.bias.gradient.elements, numericalOthers[1], tolerance: 1e-3, "bias")
  }

  /// Over several time steps and micro-batches of different sizes, one of them an input that comes again,
  /// on one rank or on two, iteration after iteration.
  @Test func runningStatisticsAreThoseOfAllThatWasSeen() {
    let other = NormalizationBench(OnlineNorm.init)
    other.norm.runningVariance.values.assign(norm.runningVariance.values.elements)
    for iteration in 0..<3 {
      let parts = [[3, 1], [2]].map { samples in
        samples.flatMap { samples in
          (0..<2).map { bench.values(seed: 100 * iteration + 10 * samples + $0, samples: samples) }
        }
      }
      let image = bench.values(seed: 100 * iteration)
      let seen = parts.joined().flatMap { $0 } + image + image
      for (bench, parts) in zip([bench, other], parts) {
        var tape = bench.tape()
        for x in parts { _ = bench.normalised(x, &tape) }
      }
      var tape = bench.tape()
      let shared = bench.tensor(image)
      for _ in 0..<2 { _ = bench.normalised(shared, &tape) }
      let expected = bench.moments(seen).enumerated().map { c, own in
        (
          mean: 0.9 * bench.statistics[0][c] + 0.1 * Float(own.mean),
          variance: 0.9 * bench.statistics[1][c] + 0.1 * Float(own.variance)
        )
      }

      // Seven samples of two time steps here, two there.
      let moments = [takeMoments(of: bench, share: 7 / 9), takeMoments(of: other, share: 2 / 9)]
      let first = view(zip(moments[0].first, moments[1].first).map { $0 + $1 })
      let second = view(zip(moments[0].second, moments[1].second).map { $0 + $1 })
      for norm in [norm, other.norm] { norm.update(first: first, second: second) }
      expectClose(bench.statistics[0], expected.map(\.mean), "mean, iteration \(iteration)")
      expectClose(bench.statistics[1], expected.map(\.variance), "variance, \(iteration)")
      #expect(other.statistics == bench.statistics)
    }
  }
}
