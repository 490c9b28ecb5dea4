import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct StepProfileTests {
  private static let samples = 2
  private static let timesteps = 3

  /// Gradients of an iteration of three time steps.
  private func iterate(
    _ family: NetworkFamily, _ kernels: ConvolutionBackend.Kernels, _ profile: StepProfile?
  ) throws -> (network: SpikingNetwork, gradients: [Float]) {
    let network = try SpikingNetwork(
      NetworkSpecification(family: family, blocks: [1, 1], width: 16, classes: 3, imageSize: 16),
      backend: ConvolutionBackend(kernels: kernels), seed: 1, arena: Arena(capacity: 64 << 20),
      profile: profile)
    let input = network.specification.input.withSamples(Self.samples)
    let frame = Tensor(input, randomFloats(input.count, seed: 1), in: network.arena)
    let loss = Loss(LossSpecification(), timesteps: Self.timesteps)
    var tape = Tape(arena: network.arena)
    network.beginSequence(IterationContext())
    loss.begin(labels: [0, 1], globalCount: Self.samples)
    for _ in 0..<Self.timesteps {
      loss.add(network.forward(network.stem(frame), saving: &tape), at: 0, isTrained: true)
      network.backwardStem(
        network.backward(loss.popGradient(), from: &tape).tensor, frame: frame)
    }
    network.completeGradients()
    return (network, network.store.gradients.elements)
  }

  /// Of sums of spikes, each plane counts.
  @Test(arguments: NetworkFamily.allCases.filter { !$0.hasStems })
  func countsTheOperationsOfEveryPass(_ family: NetworkFamily) throws {
    let profile = StepProfile()
    let (network, _) = try iterate(family, .auto, profile)
    let convolutions = network.layers.map(\.summary).filter { $0.kind.contains("conv") }
    let operations = convolutions.map { 2 * Self.samples * Self.timesteps * $0.macs }
    // The first convolution is the stem, whose input needs no gradient.
    #expect(profile.phases[.stem]?.operations == 2 * operations[0])
    for phase in [StepProfile.Phase.forward, .backwardInput, .backwardWeights] {
      #expect(profile.phases[phase]?.operations == operations[1...].reduce(0, +), "\(phase)")
    }
    for (layer, count) in zip(convolutions, operations).dropFirst() {
      #expect(profile.layers[layer.name]?.phases[.forward]?.operations == count)
      #expect(profile.layers[layer.name]?.phases[.stem] == nil)
    }
  }

  @Test func addsLayersUpToPhases() throws {
    let profile = StepProfile()
    let (network, _) = try iterate(.resNet, .auto, profile)
    for phase in [StepProfile.Phase.forward, .backwardInput, .backwardWeights, .neuron, .norm] {
      let layers = profile.layers.values.reduce(0) { $0 + ($1.phases[phase]?.seconds ?? 0) }
      let whole = try #require(profile.phases[phase]?.seconds)
      #expect(whole > 0 && abs(layers - whole) <= 1e-9 * whole, "\(phase)")
    }
    #expect(Set(profile.layers.keys).isSubset(of: network.layers.map(\.summary.name)))
    profile.reset()
    #expect(profile.phases.isEmpty && profile.layers.isEmpty)
  }

  @Test func tellsWhichKernelsRan() throws {
    let choices: [(ConvolutionBackend.Kernels, ConvolutionKernel)] = [
      (.events, .events), (.dense, .oneDNN),
    ]
    for (kernels, kernel) in choices {
      let profile = StepProfile()
      _ = try iterate(.resNet, kernels, profile)
      let layer = try #require(profile.layers["layer1.0.conv1"])
      #expect(
        layer.kernels == [
          .forward: [kernel: 3], .backwardInput: [.oneDNN: 3], .backwardWeights: [kernel: 3],
        ])
      let density = try #require(layer.density)
      #expect(density > 0 && density < 1)
      // Nothing but spikes has a density, and there is no kernel for 1x1.
      #expect(profile.layers["conv1"]?.density == nil)
      #expect(profile.layers["layer2.0.shortcut"]?.kernels[.forward] == [.oneDNN: 3])
    }
  }

  @Test(arguments: NetworkFamily.allCases) func changesNoResult(_ family: NetworkFamily) throws {
    let plain = try iterate(family, .auto, nil).gradients
    #expect(try iterate(family, .auto, StepProfile()).gradients == plain)
  }
}
