import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct BatchNormTests {
  private let bench = NormalizationBench(BatchNorm.init)

  @Test func gradientsAreFiniteDifferences() {
    let (norm, probe) = (bench.norm, Probe(bench.shape.count))
    let x = view(bench.values(seed: 2))
    func value() -> Double {
      var tape = bench.tape()
      let y = bench.normalised(x.elements, &tape)
      // A sum of squares as well: a linear function alone hardly depends on the scale.
      return probe.value(y) + y.reduce(0) { $0 + 0.5 * Double($1) * Double($1) }
    }
    let numerical = (
      x: numericalGradient(x, of: value), weight: numericalGradient(norm.weight.values, of: value),
      bias: numericalGradient(norm.bias.values, of: value)
    )
    var tape = bench.tape()
    let y = bench.normalised(x.elements, &tape)
    let gx = bench.gradient(zip(probe.factors, y).map { $0 + $1 }, input: x.elements, &tape)
    expectClose(gx, numerical.x, tolerance: 3e-3, "x")
    expectClose(norm.weight.gradient.elements, numerical.weight, tolerance: 1e-3, "weight")
    expectClose(norm.bias.gradient.elements, numerical.bias, tolerance: 1e-3, "bias")
  }

  @Test func trainingUsesTheBatchAndKeepsRunningStatistics() {
    let norm = bench.norm
    norm.weight.values.fill(1)
    norm.bias.values.fill(0)
    var tape = bench.tape()
    var mean = norm.runningMean.values.elements.map { Double($0) }
    var variance = norm.runningVariance.values.elements.map { Double($0) }
    let count = Double(bench.shape.pixels)
    for step in 0..<3 {
      let x = bench.values(seed: step)
      let y = bench.normalised(x, &tape)
      let batch = bench.moments(x)
      for (c, normalised) in bench.moments(y).enumerated() {
        #expect(abs(normalised.mean) < 1e-5)
        let expected = batch[c].variance / (batch[c].variance + 1e-5)
        #expect(abs(normalised.variance - expected) < 1e-5)
        mean[c] = 0.9 * mean[c] + 0.1 * batch[c].mean
        variance[c] = 0.9 * variance[c] + 0.1 * batch[c].variance * count / (count - 1)
      }
    }
    expectClose(norm.runningMean.values.elements, mean.map { Float($0) }, "mean")
    expectClose(norm.runningVariance.values.elements, variance.map { Float($0) }, "variance")
  }

  /// An input that comes again is measured once, and still moves the running statistics each time.
  @Test func repeatedInputsCountAtEachStep() {
    let copied = NormalizationBench(BatchNorm.init)
    let x = bench.values(seed: 1)
    let shared = bench.tensor(x)
    var tape = bench.tape()
    var otherTape = copied.tape()
    for _ in 0..<3 {
      expectClose(
        bench.normalised(shared, &tape), copied.normalised(x, &otherTape), "normalised")
    }
    for (repeated, copied) in zip(bench.statistics, copied.statistics) {
      expectClose(repeated, copied, "running statistics")
    }
    // Another input is measured anew.
    let other = bench.values(seed: 2)
    expectClose(
      bench.normalised(other, &tape), copied.normalised(other, &otherTape), "another input")
  }

  @Test func evaluationUsesAndKeepsTheRunningStatistics() {
    let norm = bench.norm
    norm.runningVariance.values.assign([0.5, 1, 2, 3, 4])
    let before = bench.statistics
    var tape = bench.tape(isTraining: false)
    let x = bench.values(seed: 3)
    let y = bench.normalised(x, &tape)
    let expected = x.enumerated().map { index, x in
      let c = index % bench.shape.c
      return (x - norm.runningMean.values[c])
        / (norm.runningVariance.values[c] + 1e-5).squareRoot() * norm.weight.values[c]
        + norm.bias.values[c]
    }
    expectClose(y, expected, "y")
    #expect(bench.statistics == before)
    #expect(tape.bytes == 0)
  }

  /// A deviation of a thousandth of the mean, which single precision would lose in the squares.
  @Test func varianceSurvivesALargeMean() {
    bench.norm.weight.values.fill(1)
    bench.norm.bias.values.fill(0)
    let x = randomFloats(bench.shape.count, seed: 4).map { 1000 + $0 }
    bench.norm.runningMean.values.fill(1000)
    var tape = bench.tape()
    let y = bench.normalised(x, &tape)
    for normalised in bench.moments(y) { #expect(abs(normalised.variance - 1) < 1e-3) }
  }

  /// Under rate-based learning the gradient of the mean input's normalisation divides by deviations of the
  /// time steps, and goes through the variance of the mean input; running statistics are those of the time
  /// steps.
  @Test func averagesHaveTheDeviationsOfTheTimeSteps() {
    let (steps, norm) = (NormalizationBench(BatchNorm.init), bench.norm)
    let inputs = (0..<3).map { t in bench.values(seed: t).map { $0 * Float(1 + t) } }
    var tape = bench.tape()
    var stepTape = steps.tape()
    // Twice: a sequence leaves nothing behind.
    for sequence in 1...2 {
      norm.beginSequence()
      tape.averaging = .gathering(timesteps: 3)
      tape.isRecording = false
      for x in inputs {
        expectClose(bench.normalised(x, &tape), steps.normalised(x, &stepTape), "normalised")
      }
      tape.averaging = .passing
      tape.isRecording = true
      let x = inputs[0].indices.map { i in inputs.reduce(0) { $0 + $1[i] } / 3 }
      _ = norm.forward(bench.tensor(x), &tape)
      #expect(bench.statistics == steps.statistics)

      let gy = randomFloats(x.count, seed: 9)
      let gx = bench.gradient(gy, input: x, &tape)
      let (of, ofEach) = (bench.moments(x), inputs.map(bench.moments))
      var expected = gx.map { _ in 0.0 }
      for c in 0..<bench.shape.c {
        let own = Array(stride(from: c, to: x.count, by: bench.shape.c))
        let r = (ofEach.reduce(0) { $0 + 1 / ($1[c].variance + 1e-5) } / 3).squareRoot()
        let g = own.map { Double(gy[$0]) }
        let normalised = own.map { (Double(x[$0]) - of[c].mean) * r }
        let mean = g.reduce(0, +) / Double(own.count)
        let product = zip(g, normalised).reduce(0) { $0 + $1.0 * $1.1 }
        for (i, at) in own.enumerated() {
          expected[at] =
            Double(norm.weight.values[c]) * r
            * (g[i] - mean - normalised[i] * product / Double(own.count))
        }
        #expect(
          abs(Double(norm.weight.gradient[c]) - Double(sequence) * product) < 1e-4, "weight \(c)")
      }
      expectClose(gx, expected.map { Float($0) }, "x")
    }
  }
}
