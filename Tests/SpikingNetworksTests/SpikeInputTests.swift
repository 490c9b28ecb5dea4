import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct SpikeInputTests {
  private static let timesteps = 3

  private func network(_ parts: [Part], levels: Int) throws -> SpikingNetwork {
    let network = try SpikingNetwork(
      NetworkSpecification(
        parts: parts, classes: 3, imageSize: 16, neuron: NeuronSpecification(levels: levels)),
      seed: 2, arena: Arena(capacity: 1 << 28))
    return network
  }

  private func run(_ network: SpikingNetwork, isUnrolled: Bool = false) {
    let input = network.specification.input.withSamples(2)
    let frames = FrameSequence(
      static: Tensor(input, randomFloats(input.count, seed: 5).map { 4 * $0 }, in: network.arena))
    network.evaluate(frames, timesteps: Self.timesteps, isUnrolled: isUnrolled) { _, _ in }
  }

  /// Layers that read the neurons before them read all of their spikes.
  @Test(arguments: [1, 5]) func eachSpikeCounts(levels: Int) throws {
    let network = try network(
      [
        .convolution(ConvolutionPart(channels: 4, kernel: 3)), .neuron(NeuronPart()),
        .convolution(ConvolutionPart(channels: 4, kernel: 3)), .neuron(NeuronPart()),
        .linear(LinearPart(outputs: .count(6))), .neuron(NeuronPart()), .linear(LinearPart()),
      ], levels: levels)
    #expect(network.plan.weightedLayers.count == 4)
    #expect(network.plan.weightedLayers.map { $0.inputPlanes > 0 } == [false, true, true, true])
    for isUnrolled in levels > 1 ? [false, true] : [false] {
      run(network, isUnrolled: isUnrolled)
      let fired = network.neurons.map(\.spikeCount)
      #expect(network.spikeInputs.map(\.spikes) == [0] + fired)
      #expect(fired[0] > 0 && fired[1] > 0)
      let elements = 2 * Self.timesteps * 4 * 16 * 16
      #expect(network.spikeInputs.map(\.elements) == [0, elements, elements, 2 * 3 * 6])
    }
    #expect(network.spikeInputs[0].rate == nil)
    network.beginSequence(IterationContext())
    #expect(network.spikeInputs.allSatisfy { $0 == SpikeInput() })
  }

  /// What follows a sum of spikes reads the spikes of both.
  @Test func sumsOfSpikesCountAsMany() throws {
    let network = try network(
      [
        .convolution(ConvolutionPart(channels: 4, kernel: 3)), .neuron(NeuronPart()),
        .residual(
          ResidualPart(branch: [
            .convolution(ConvolutionPart(channels: 4, kernel: 3)), .neuron(NeuronPart()),
          ])),
        .convolution(ConvolutionPart(channels: 4, kernel: 3)), .neuron(NeuronPart()),
        .adaptivePool(AdaptivePoolPart(size: 1)), .linear(LinearPart()),
      ], levels: 1)
    run(network)
    let fired = network.neurons.map(\.spikeCount)
    #expect(network.spikeInputs.map(\.spikes) == [0, fired[0], fired[0] + fired[1], 0])
    #expect(fired[0] > 0 && fired[1] > 0)
    #expect(network.spikeInputs.last?.rate == nil)
  }
}
