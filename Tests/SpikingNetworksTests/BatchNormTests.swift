import Tensors
import Testing

@testable import SpikingNetworks

struct BatchNormTests {
  static let shape = Shape(n: 3, h: 2, w: 4, c: 5)

  private struct Setup {
    let bench = LayerBench()
    let norm: BatchNorm

    init() {
      norm = BatchNorm("bn", channels: shape.c, bench.builder)
      bench.complete()
      norm.runningMean.values.assign(randomFloats(shape.c, seed: 5))
    }

    /// `scale x + shift`, which the neuron computes.
    func normalised(_ x: [Float], _ tape: inout Tape) -> [Float] {
      let affine = norm.forward(SharedTensor(Tensor(shape, x, in: bench.arena)), &tape)
      return x.enumerated().map {
        affine.scale[$0 % shape.c] * $1 + affine.shift[$0 % shape.c]
      }
    }
  }

  /// Mean and biased variance of each channel.
  private func moments(_ x: [Float]) -> [(mean: Double, variance: Double)] {
    (0..<Self.shape.c).map { c in
      let own = stride(from: c, to: x.count, by: Self.shape.c).map { Double(x[$0]) }
      let mean = own.reduce(0, +) / Double(own.count)
      return (mean, own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(own.count))
    }
  }

  /// Values whose channels differ in mean and deviation.
  private func values(seed: Int) -> [Float] {
    randomFloats(Self.shape.count, seed: seed).enumerated().map {
      let c = Float($0 % Self.shape.c)
      return $1 * (1 + c) + 3 * c
    }
  }

  @Test func gradientsAreFiniteDifferences() {
    let (setup, probe) = (Setup(), Probe(Self.shape.count))
    let (norm, arena) = (setup.norm, setup.bench.arena)
    let x = view(values(seed: 2))
    func value() -> Double {
      var tape = Tape(arena: arena)
      let y = setup.normalised(x.elements, &tape)
      // A sum of squares as well: a linear function alone hardly depends on the scale.
      return probe.value(y) + y.reduce(0) { $0 + 0.5 * Double($1) * Double($1) }
    }
    let numerical = (
      x: numericalGradient(x, of: value), weight: numericalGradient(norm.weight.values, of: value),
      bias: numericalGradient(norm.bias.values, of: value)
    )
    var tape = Tape(arena: arena)
    let y = setup.normalised(x.elements, &tape)
    let gradient = zip(probe.factors, y).map { $0 + $1 }
    var g = Tensor(Self.shape, gradient, in: arena)
    let statistics = norm.popStatistics(&tape)
    norm.sums.takeProducts(ofRows: view(gradient), with: x, mean: statistics.mean)
    norm.backward(
      &g, input: .exact(SharedTensor(Tensor(Self.shape, x.elements, in: arena))),
      statistics: statistics)
    expectClose(g.elements, numerical.x, tolerance: 3e-3, "x")
    expectClose(norm.weight.gradient.elements, numerical.weight, tolerance: 1e-3, "weight")
    expectClose(norm.bias.gradient.elements, numerical.bias, tolerance: 1e-3, "bias")
  }

  @Test func trainingUsesTheBatchAndKeepsRunningStatistics() {
    let setup = Setup()
    let norm = setup.norm
    norm.weight.values.fill(1)
    norm.bias.values.fill(0)
    var tape = Tape(arena: setup.bench.arena)
    var mean = norm.runningMean.values.elements.map { Double($0) }
    var variance = norm.runningVariance.values.elements.map { Double($0) }
    let count = Double(Self.shape.pixels)
    for step in 0..<3 {
      let x = values(seed: step)
      let y = setup.normalised(x, &tape)
      let batch = moments(x)
      for (c, normalised) in moments(y).enumerated() {
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
    let (repeated, copied) = (Setup(), Setup())
    let x = values(seed: 1)
    let shared = SharedTensor(Tensor(Self.shape, x, in: repeated.bench.arena))
    var tape = Tape(arena: repeated.bench.arena)
    var otherTape = Tape(arena: copied.bench.arena)
    for _ in 0..<3 {
      let affine = repeated.norm.forward(shared, &tape)
      let expected = copied.norm.forward(
        SharedTensor(Tensor(Self.shape, x, in: copied.bench.arena)), &otherTape)
      expectClose(affine.scale.elements, expected.scale.elements, "scale")
      expectClose(affine.shift.elements, expected.shift.elements, "shift")
    }
    expectClose(
      repeated.bench.store!.statisticValues.all.elements,
      copied.bench.store!.statisticValues.all.elements, "running statistics")
    // Another input is measured anew.
    let other = values(seed: 2)
    let actual = repeated.norm.forward(
      SharedTensor(Tensor(Self.shape, other, in: repeated.bench.arena)), &tape)
    let expected = copied.norm.forward(
      SharedTensor(Tensor(Self.shape, other, in: copied.bench.arena)), &otherTape)
    expectClose(actual.shift.elements, expected.shift.elements, "shift of another input")
  }

  @Test func evaluationUsesAndKeepsTheRunningStatistics() {
    let setup = Setup()
    let norm = setup.norm
    norm.runningVariance.values.assign([0.5, 1, 2, 3, 4])
    let before = setup.bench.store!.statisticValues.all.elements
    var tape = Tape(arena: setup.bench.arena)
    tape.isTraining = false
    let x = values(seed: 3)
    let y = setup.normalised(x, &tape)
    let expected = x.enumerated().map { index, x in
      let c = index % Self.shape.c
      return (x - norm.runningMean.values[c])
        / (norm.runningVariance.values[c] + 1e-5).squareRoot() * norm.weight.values[c]
        + norm.bias.values[c]
    }
    expectClose(y, expected, "y")
    #expect(setup.bench.store!.statisticValues.all.elements == before)
    #expect(tape.bytes == 0)
  }

  /// A deviation of a thousandth of the mean, which single precision would lose in the squares.
  @Test func varianceSurvivesALargeMean() {
    let setup = Setup()
    setup.norm.weight.values.fill(1)
    setup.norm.bias.values.fill(0)
    let x = randomFloats(Self.shape.count, seed: 4).map { 1000 + $0 }
    setup.norm.runningMean.values.fill(1000)
    var tape = Tape(arena: setup.bench.arena)
    let y = setup.normalised(x, &tape)
    for normalised in moments(y) { #expect(abs(normalised.variance - 1) < 1e-3) }
  }
}
