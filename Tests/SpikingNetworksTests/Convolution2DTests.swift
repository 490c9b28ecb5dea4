import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct Convolution2DTests {
  static let input = Shape(n: 2, h: 5, w: 4, c: 3)
  static let windows = [
    SlidingWindow(kernel: 3, padding: 1), SlidingWindow(kernel: 3, stride: 2, padding: 1),
    SlidingWindow(kernel: 1, stride: 2),
  ]

  @Test(arguments: windows, [ConvolutionBackend.oneDNN, .openBLAS, .init(kernels: .events)])
  func gradientsAreFiniteDifferences(_ window: SlidingWindow, _ backend: ConvolutionBackend) {
    let (bench, input) = (LayerBench(backend), Self.input)
    let layer = Convolution2D(
      "conv", input: input, outputs: 4, window, bias: .constant(0), reads: .init(.floats),
      bench.builder)
    bench.complete()
    let output = layer.output.withSamples(input.n)
    let (x, probe) = (view(randomFloats(input.count, seed: 2)), Probe(output.count))
    func value() -> Double {
      layer.weightsDidChange()
      return probe.value(layer.output(.floats(input, x.elements, in: bench.arena), in: bench.arena))
    }
    let numerical = (
      x: numericalGradient(x, of: value), weight: numericalGradient(layer.weight.values, of: value),
      bias: numericalGradient(layer.bias!.values, of: value)
    )
    layer.weightsDidChange()
    let gx = layer.gradient(
      probe.factors, input: .floats(input, x.elements, in: bench.arena), in: bench.arena)
    expectClose(gx, numerical.x, tolerance: 1e-3, "x")
    expectClose(layer.weight.gradient.elements, numerical.weight, tolerance: 1e-3, "weight")
    expectClose(layer.bias!.gradient.elements, numerical.bias, tolerance: 1e-3, "bias")
  }

  @Test(arguments: planeAmplitudes) func spikesCountAsTheirAmplitudes(_ amplitudes: [Float]) {
    let (bench, input) = (LayerBench(), Self.input)
    let layer = Convolution2D(
      "conv", input: input, outputs: 4, Self.windows[0], bias: nil, bench.builder)
    bench.complete()
    #expect(layer.bias == nil)
    let arena = bench.arena
    let spikes = Signal.spikes(input, planes: amplitudes, in: arena)
    let dense = Signal.floats(input, planeValues(input.count, amplitudes), in: arena)
    let y = layer.output(dense.shared(), in: arena)
    expectClose(layer.output(spikes.shared(), in: arena), y, "y")

    let output = layer.output.withSamples(input.n)
    let start = randomFloats(output.count, seed: 3)
    var sum = Tensor(output, start, in: bench.arena)
    layer.add(spikes, to: &sum)
    expectClose(sum.elements, zip(start, y).map { $0 + $1 }, "sum")

    let gy = randomFloats(output.count, seed: 4)
    let gx = layer.gradient(gy, input: dense, in: arena)
    let gw = layer.weight.gradient.elements
    layer.weight.gradient.fill(0)
    expectClose(layer.gradient(gy, input: spikes, in: arena), gx, "gx")
    expectClose(layer.weight.gradient.elements, gw, "gw")
  }

  @Test func summaryCountsTheWork() {
    let bench = LayerBench()
    let layer = Convolution2D(
      "conv", input: Self.input, outputs: 4, Self.windows[1], bias: .constant(0), bench.builder)
    let summary = layer.summary
    #expect(summary.output == Shape(n: 1, h: 3, w: 2, c: 4))
    #expect(summary.kind == "conv 3x3 /2" && summary.parameters == 9 * 3 * 4 + 4)
    #expect(summary.macs == 6 * 9 * 3 * 4)
    #expect(summary.tapeBytes == SpikeTensor.bytes(Self.input.withSamples(1)))
  }

  /// An image of 5 x 4 pixels with 3 channels: floats, or a word of bits a pixel.
  @Test(
    arguments: [(.frame, 0), (.floats, 240), (.keptSpikes, 0), (.spikes, 160)]
      as [(LayerInput.Content, Int)])
  func summaryCountsWhatItKeeps(_ content: LayerInput.Content, _ bytes: Int) {
    let layer = Convolution2D(
      "conv", input: Self.input, outputs: 4, Self.windows[1], bias: nil,
      reads: LayerInput(content), LayerBench().builder)
    #expect(layer.summary.tapeBytes == bytes)
  }
}
