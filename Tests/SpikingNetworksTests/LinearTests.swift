import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct LinearTests {
  static let input = Shape(n: 3, h: 2, w: 3, c: 4)

  @Test func gradientsAreFiniteDifferences() {
    let (bench, input) = (LayerBench(), Self.input)
    let layer = Linear(
      "fc", input: input, outputs: 5, weight: .uniform(fanIn: 24), bias: .constant(0),
      bench.builder)
    bench.complete()
    let (x, probe) = (view(randomFloats(input.count, seed: 2)), Probe(15))
    func value() -> Double {
      probe.value(layer.output(.floats(input, x.elements, in: bench.arena), in: bench.arena))
    }
    let numerical = (
      x: numericalGradient(x, of: value), weight: numericalGradient(layer.weight.values, of: value),
      bias: numericalGradient(layer.bias.values, of: value)
    )
    let gx = layer.gradient(
      probe.factors, input: .floats(input, x.elements, in: bench.arena), in: bench.arena)
    expectClose(gx, numerical.x, tolerance: 1e-3, "x")
    expectClose(layer.weight.gradient.elements, numerical.weight, tolerance: 1e-3, "weight")
    expectClose(layer.bias.gradient.elements, numerical.bias, tolerance: 1e-3, "bias")
  }

  @Test(arguments: planeAmplitudes) func spikesCountAsTheirAmplitudes(_ amplitudes: [Float]) {
    let (bench, input) = (LayerBench(), Self.input)
    let layer = Linear(
      "fc", input: input, outputs: 5, weight: .uniform(fanIn: 24), bias: .constant(0),
      reads: .init(.spikes), bench.builder)
    bench.complete()
    let arena = bench.arena
    let spikes = Signal.spikes(input, planes: amplitudes, in: arena)
    let dense = Signal.floats(input, planeValues(input.count, amplitudes), in: arena)
    expectClose(
      layer.output(spikes.shared(), in: arena), layer.output(dense.shared(), in: arena), "y")
    let gy = randomFloats(15, seed: 3)
    let gx = layer.gradient(gy, input: dense, in: arena)
    let gw = layer.weight.gradient.elements
    layer.weight.gradient.fill(0)
    expectClose(layer.gradient(gy, input: spikes, in: arena), gx, "gx")
    expectClose(layer.weight.gradient.elements, gw, "gw")
    // A word of bits for each of 2 x 3 pixels.
    #expect(layer.summary.tapeBytes == 48)
  }

  /// As PyTorch's `Linear` after `Flatten` of an NCHW image.
  @Test func publishedWeightsMeetTheFlattenedImage() {
    let (bench, input) = (LayerBench(), Shape(n: 1, h: 2, w: 2, c: 3))
    let layer = Linear(
      "fc", input: input, outputs: 1, weight: .constant(0), bias: .constant(0), bench.builder)
    bench.complete()
    layer.bias.values[0] = 0
    layer.weight.assign(published: (0..<12).map { Float(1 << $0) }, to: layer.weight.values)
    for c in 0..<3 {
      for pixel in 0..<4 {
        var x = [Float](repeating: 0, count: 12)
        x[pixel * 3 + c] = 1
        let y = layer.output(.floats(input, x, in: bench.arena), in: bench.arena)
        #expect(y[0] == Float(1 << (c * 4 + pixel)))
      }
    }
  }
}
