import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct ScaledWSConvolution2DTests {
  static let input = Shape(n: 2, h: 4, w: 5, c: 3)

  private struct Setup {
    let bench = LayerBench()
    let layer: ScaledWSConvolution2D
    /// The learnt scalar of the output gain.
    let skip: Parameter?

    init(outputGain: Float?) {
      skip = outputGain == nil ? nil : bench.builder.parameter("skip", [], .constant(0))
      layer = ScaledWSConvolution2D(
        "conv", input: input, outputs: 4, SlidingWindow(kernel: 3, stride: 2, padding: 1),
        outputGain: skip.map { .init(parameter: $0, factor: 0.2) }, bench.builder)
      bench.complete()
      if let outputGain { skip!.values[0] = outputGain }
      layer.weightsDidChange()
    }

    func forward(_ x: [Float]) -> [Float] {
      layer.output(.floats(input, x, in: bench.arena), in: bench.arena)
    }
  }

  @Test(arguments: [nil, 0.7, 0, -1.3] as [Float?])
  func gradientsAreFiniteDifferences(_ outputGain: Float?) {
    let (setup, input) = (Setup(outputGain: outputGain), Self.input)
    let (layer, arena) = (setup.layer, setup.bench.arena)
    let output = layer.output.withSamples(input.n)
    let (x, probe) = (view(randomFloats(input.count, seed: 2)), Probe(output.count))
    func value() -> Double {
      layer.weightsDidChange()
      return probe.value(setup.forward(x.elements))
    }
    let parameters = [layer.weight, layer.bias, layer.gain] + (setup.skip.map { [$0] } ?? [])
    let numerical = parameters.map { numericalGradient($0.values, of: value) }
    layer.weightsDidChange()
    let gy = Tensor(output, probe.factors, in: arena)
    // In two parts, as time steps give them.
    for sample in 0..<2 {
      gy.withSamples(from: sample, count: 1) { gy in
        Tensor(input, x.elements, in: arena).withSamples(from: sample, count: 1) {
          layer.backwardWeights(gy, input: $0)
        }
      }
    }
    layer.completeGradients()
    for (parameter, expected) in zip(parameters, numerical) {
      expectClose(parameter.gradient.elements, expected, tolerance: 2e-3, parameter.name)
    }
  }

  @Test func spikesHaveTheGradientOfTheirValues() {
    let (setup, input) = (Setup(outputGain: 0.7), Self.input)
    let (layer, arena) = (setup.layer, setup.bench.arena)
    let output = layer.output.withSamples(input.n)
    let probe = Probe(output.count)
    let x = view((0..<input.count).map { $0 % 4 == 0 ? 2.74 : 0 })
    let expected = numericalGradient(x) { probe.value(setup.forward(x.elements)) }
    let spikes = Signal.spikes(input, amplitude: 2.74, in: arena) { $0 % 4 == 0 }
    expectClose(layer.output(spikes.shared(), in: arena), setup.forward(x.elements), "y")
    let gx = layer.gradient(probe.factors, input: spikes, in: arena)
    expectClose(gx, expected, tolerance: 1e-3, "gx")
    let gw = layer.weight.gradient.elements
    layer.weight.gradient.fill(0)
    layer.backwardWeights(
      Tensor(output, probe.factors, in: arena), input: Tensor(input, x.elements, in: arena))
    expectClose(layer.weight.gradient.elements, gw, "gw")
  }

  /// Against an ordinary convolution whose weights are standardised here.
  @Test func weightsAreStandardised() {
    let (setup, plain) = (Setup(outputGain: 0.7), LayerBench())
    let convolution = Convolution2D(
      "conv", input: Self.input, outputs: 4, SlidingWindow(kernel: 3, stride: 2, padding: 1),
      bias: .constant(0), plain.builder)
    plain.complete()
    let weights = setup.layer.weight.published(setup.layer.weight.values).map { Double($0) }
    var standardised: [Float] = []
    for output in 0..<4 {
      let own = weights[output * 27..<(output + 1) * 27]
      let mean = own.reduce(0, +) / 27
      let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 26
      let factor = Double(setup.layer.gain.values[output]) / (27 * variance + 1e-4).squareRoot()
      standardised += own.map { Float(0.7 * 0.2 * factor * ($0 - mean)) }
    }
    convolution.weight.assign(published: standardised, to: convolution.weight.values)
    convolution.bias!.values.assign(setup.layer.bias.values.elements.map { 0.7 * 0.2 * $0 })
    convolution.weightsDidChange()
    let x = randomFloats(Self.input.count, seed: 2)
    expectClose(
      setup.forward(x),
      convolution.output(.floats(Self.input, x, in: plain.arena), in: plain.arena),
      "y")
  }
}
