import Tensors
import Testing

@testable import SpikingNetworks

struct ObservedConvolutionTests {
  /// A plane in which few neurons fire goes by events beside one in which most do.
  @Test func planesAreCountedAndComputedByTheirOwnDensities() throws {
    let (arena, profile) = (Arena(capacity: 64 << 20), StepProfile())
    let geometry = ConvolutionGeometry(
      input: Shape(n: 1, h: 8, w: 8, c: 64), outputChannels: 64,
      window: SlidingWindow(kernel: 3, padding: 1))
    let convolution = ObservedConvolution(
      ConvolutionBackend(kernels: .auto).convolution(geometry, arena: arena), layer: "conv",
      readsSpikes: true, profile)
    let input = geometry.input(samples: 2)
    let spikes = Spikes(
      planes: [
        SharedSpikes(SpikeTensor(input, in: arena) { $0 % 10 != 0 }),
        SharedSpikes(SpikeTensor(input, in: arena) { $0 % 64 == 0 }),
      ])
    var y = Tensor(geometry.output(samples: 2), in: arena)
    let weights = FlatBuffer(count: geometry.weightCount).all
    convolution.forward(
      spikes, weights: ConvolutionWeights(weights), bias: nil, into: &y, accumulating: false)
    convolution.backwardWeights(spikes, y, into: weights, bias: nil)
    let fired = input.count - (input.count + 9) / 10 + input.count / 64
    #expect(convolution.inputActivity == (fired, 2 * input.count))
    let usage = try #require(profile.layers["conv"])
    for pass in [ConvolutionPass.forward, .backwardWeights] {
      let kernels = try #require(usage.kernels[pass])
      #expect(kernels.count == 2 && kernels[.events] == 1, "\(pass)")
    }
    let density = Double(fired) / Double(2 * input.count)
    #expect(abs(try #require(usage.density) - density) < 1e-12)
  }
}
