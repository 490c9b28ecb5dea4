import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct DropoutTests {
  static let shape = Shape(n: 6, h: 8, w: 8, c: 70)

  private func layer(_ probability: Float = 0.25, number: Int = 1) -> Dropout {
    Dropout("drop", number: number, input: Self.shape.withSamples(1), probability: probability)
  }

  /// What remains of ones.
  private func kept(
    _ layer: Dropout, samples: Int = 6, isTraining: Bool = true
  ) -> [Float] {
    let arena = Arena(capacity: 64 << 20)
    var tape = Tape(arena: arena)
    tape.isTraining = isTraining
    let shape = Self.shape.withSamples(samples)
    let ones = [Float](repeating: 1, count: shape.count)
    return layer.forward(.floats(shape, ones, in: arena), &tape).floats().tensor.elements
  }

  private func kept(_ layer: Dropout, _ context: IterationContext, samples: Int = 6) -> [Float] {
    layer.beginSequence(context)
    return kept(layer, samples: samples)
  }

  @Test(arguments: [0.1, 0.3, 0.5] as [Float]) func dropsAtItsRateAndScalesTheRest(_ p: Float) {
    let kept = kept(layer(p), IterationContext(seed: 1))
    #expect(kept.allSatisfy { $0 == 0 || abs($0 - 1 / (1 - p)) < 1e-6 })
    let rate = Float(kept.count { $0 == 0 }) / Float(kept.count)
    // Standard deviation: sqrt(p (1 - p) / 26880), at most 0.003.
    #expect(abs(rate - p) < 0.012)
  }

  @Test func theMaskLastsForOneIteration() {
    let layer = layer()
    let first = kept(layer, IterationContext(seed: 1, iteration: 5))
    for _ in 0..<3 { #expect(kept(layer) == first) }
    let next = kept(layer, IterationContext(seed: 1, iteration: 6))
    #expect(next != first)
    #expect(kept(layer, IterationContext(seed: 1, iteration: 5)) == first)
    #expect(kept(layer, IterationContext(seed: 2, iteration: 5)) != first)
    #expect(kept(self.layer(number: 2), IterationContext(seed: 1, iteration: 5)) != first)
  }

  @Test func samplesHaveMasksOfTheirOwn() {
    let all = kept(layer(), IterationContext(seed: 1))
    let size = all.count / 6
    #expect(Set((0..<6).map { Array(all[$0 * size..<($0 + 1) * size]) }).count == 6)
  }

  @Test func theMaskDoesNotDependOnTheRanks() {
    let whole = kept(layer(), IterationContext(seed: 1, iteration: 2))
    for split in [[6], [3, 3], [4, 2], [1, 2, 3]] {
      var (parts, offset): ([Float], Int) = ([], 0)
      for samples in split {
        let context = IterationContext(seed: 1, iteration: 2, sampleOffset: offset)
        parts += kept(layer(), context, samples: samples)
        offset += samples
      }
      expectClose(parts, whole, tolerance: 0, "\(split)")
    }
  }

  @Test(arguments: planeAmplitudes)
  func spikesDenseValuesAndTheirGradientShareTheMask(_ amplitudes: [Float]) {
    let layer = layer()
    let arena = Arena(capacity: 64 << 20)
    let mask = kept(layer, IterationContext(seed: 3))
    let spikes = layer.output(.spikes(Self.shape, planes: amplitudes, in: arena), in: arena)
    let values = planeValues(Self.shape.count, amplitudes)
    expectClose(spikes, zip(mask, values).map { $0 * $1 }, "spikes")
    // y = mask x, so dL/dx = mask dL/dy.
    let gy = randomFloats(Self.shape.count, seed: 4)
    let gx = layer.gradient(gy, input: .floats(Self.shape, gy, in: arena), in: arena)
    expectClose(gx, zip(mask, gy).map { $0 * $1 }, tolerance: 0, "gradient")
  }

  @Test func evaluationKeepsEverything() {
    let layer = layer()
    layer.beginSequence(IterationContext(seed: 1))
    #expect(kept(layer, isTraining: false).allSatisfy { $0 == 1 })
    let arena = Arena(capacity: 64 << 20)
    let spikes = layer.output(
      .spikes(Self.shape, amplitude: 2, in: arena) { $0 % 3 == 0 }, in: arena, isTraining: false)
    #expect(spikes.indices.allSatisfy { spikes[$0] == ($0 % 3 == 0 ? 2 : 0) })
  }

  @Test func nothingToDropNeedsNoLayer() {
    #expect(LayerBench().builder.dropout("drop", input: Self.shape, probability: 0) == nil)
    #expect(LayerBench().builder.dropout("drop", input: Self.shape, probability: 0.5) != nil)
  }
}
