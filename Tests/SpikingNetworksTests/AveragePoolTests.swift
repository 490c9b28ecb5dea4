import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct AveragePoolTests {
  static let input = Shape(n: 2, h: 5, w: 5, c: 3)

  @Test(arguments: [true, false]) func gradientsAreFiniteDifferences(_ isAdaptive: Bool) {
    let (bench, input) = (LayerBench(), Self.input)
    let layer = AveragePool(
      "pool",
      isAdaptive
        ? AveragePooling(input: input, adaptiveHeight: 7, width: 7)
        : AveragePooling(input: input, window: SlidingWindow(kernel: 3, stride: 2, padding: 1)),
      bench.builder)
    let output = layer.output.withSamples(input.n)
    #expect(output == Shape(n: 2, h: isAdaptive ? 7 : 3, w: isAdaptive ? 7 : 3, c: 3))
    let (x, probe) = (view(randomFloats(input.count, seed: 2)), Probe(output.count))
    let expected = numericalGradient(x) {
      probe.value(layer.output(.floats(input, x.elements, in: bench.arena), in: bench.arena))
    }
    let gx = layer.gradient(
      probe.factors, input: .floats(input, x.elements, in: bench.arena), in: bench.arena)
    expectClose(gx, expected, tolerance: 1e-3, "x")
  }

  @Test(arguments: planeAmplitudes) func spikesCountAsTheirAmplitudes(_ amplitudes: [Float]) {
    let (bench, input) = (LayerBench(), Shape(n: 1, h: 3, w: 4, c: 1))
    let layer = AveragePool(
      "pool", AveragePooling(input: input, adaptiveHeight: 1, width: 1), bench.builder)
    let y = layer.output(.spikes(input, planes: amplitudes, in: bench.arena), in: bench.arena)
    expectClose(y, [planeValues(12, amplitudes).reduce(0, +) / 12], "mean")
  }
}
