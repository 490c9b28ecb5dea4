import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

/// Networks of parts in combinations that no published family has.
struct OwnNetworkTests {
  private static func convolution(
    _ channels: Int, kernel: Int = 3, isStandardized: Bool = false
  ) -> Part {
    .convolution(
      ConvolutionPart(channels: channels, kernel: kernel, isStandardized: isStandardized))
  }

  private static let neuron = Part.neuron(NeuronPart())
  private static let norm = Part.batchNorm(BatchNormPart())

  static let networks: [(name: String, parts: [Part])] = [
    ("spikes into a linear layer", [convolution(4), neuron, .linear(LinearPart())]),
    (
      "hidden linear layer, and neurons after neurons",
      [
        convolution(4), neuron, .dropout(DropoutPart()),
        .linear(LinearPart(outputs: .count(6))), neuron, neuron, .linear(LinearPart()),
      ]
    ),
    (
      "convolutions of floats, pools in the stem and of spikes",
      [
        convolution(4), .averagePool(WindowPoolPart(kernel: 2)),
        .adaptivePool(AdaptivePoolPart(size: 3)), convolution(3), .dropout(DropoutPart()), norm,
        neuron, .averagePool(WindowPoolPart(kernel: 3, stride: 1, padding: 1)),
        .adaptivePool(AdaptivePoolPart(size: 1)), .linear(LinearPart()),
      ]
    ),
    (
      "residuals of floats and of spikes, one in the other",
      [
        convolution(4),
        .residual(ResidualPart(branch: [norm, neuron, convolution(4)])), neuron,
        .residual(
          ResidualPart(
            branch: [
              .residual(ResidualPart(branch: [convolution(2), neuron, convolution(4)])), neuron,
              .sequence(SequencePart(nil, [.dropout(DropoutPart()), convolution(4)])),
            ])),
        .residual(
          ResidualPart(
            branch: [neuron, convolution(5, isStandardized: true)],
            shortcut: [.convolution(ConvolutionPart(channels: 5, kernel: 1))], skipInit: 0.5)),
        neuron, .linear(LinearPart()),
      ]
    ),
  ]

  /// Logits and gradients of all parameters are finite numbers, also in half the memory, and each parameter
  /// has a part in the result.
  @Test(arguments: networks, MemoryUse.allCases)
  func everyParameterIsTrained(_ network: (name: String, parts: [Part]), _ memory: MemoryUse) throws
  {
    let specification = NetworkSpecification(
      parts: network.parts, classes: 3, inputChannels: 2, imageSize: 6, dropout: 0.2,
      neuron: NeuronSpecification(kind: .plif, tau: 2, surrogate: .init(.sigmoid)),
      memory: memory)
    let arena = Arena(capacity: 64 << 20)
    let network = try SpikingNetwork(specification, seed: 1, arena: arena)
    for parameter in network.store.parameters
    where parameter.values.elements.allSatisfy({ $0 == 0 }) {
      parameter.values.fill(0.5)
    }
    network.weightsDidChange()
    var tape = Tape(arena: arena)
    tape.isTraining = true
    network.store.gradients.fill(0)
    network.beginSequence(IterationContext(seed: 1))
    let shape = specification.input.withSamples(3)
    let frame = Tensor(shape, randomFloats(shape.count, seed: 2).map { 4 * $0 }, in: arena)
    for _ in 0..<3 {
      let logits = network.forward(network.stem(frame), saving: &tape)
      #expect(logits.tensor.shape == Shape(n: 3, c: 3))
      #expect(logits.tensor.elements.allSatisfy { $0.isFinite })
      let gradient = SharedTensor(Tensor(logits.tensor.shape, randomFloats(9, seed: 3), in: arena))
      let g = network.backward(gradient, from: &tape)
      network.backwardStem(g.tensor, frame: frame)
    }
    network.completeGradients()
    for parameter in network.store.parameters where !parameter.name.hasSuffix(".w") {
      let gradient = parameter.gradient.elements
      #expect(gradient.allSatisfy { $0.isFinite } && gradient.contains { $0 != 0 })
    }
    #expect(tape.bytes == 0)
    #expect(network.head.count == 2 && network.activity.spikes > 0)
  }

  @Test func aPartHasItsOwnNeuronAndDropout() throws {
    var (neuron, dropout) = (NeuronPart("own"), DropoutPart("drop"))
    (neuron.tau, neuron.kind, dropout.probability) = (4, .plif, 0.5)
    let network = try NetworkPlan(
      NetworkSpecification(
        parts: [
          Self.convolution(4), Self.neuron, .dropout(DropoutPart()), .neuron(neuron),
          .dropout(dropout), .linear(LinearPart()),
        ], classes: 3, imageSize: 6))
    #expect(
      network.parameters.map(\.name) == ["0.weight", "0.bias", "own.w", "5.weight", "5.bias"])
    #expect(
      network.layers.map(\.summary.kind).filter { $0.hasPrefix("dropout") } == ["dropout 0.5"])
  }

  /// The first layer on floats leaves the stem's output on the tape, or does not.
  @Test(arguments: [
    ([norm, neuron], true), ([neuron], false), ([convolution(2), neuron], true),
    ([.residual(ResidualPart(branch: [norm, neuron, convolution(4)])), neuron], true),
    ([.residual(ResidualPart(branch: [neuron, convolution(4)])), neuron], false),
    (
      [
        .residual(
          ResidualPart(
            branch: [neuron, convolution(5)],
            shortcut: [.convolution(ConvolutionPart(channels: 5, kernel: 1))])),
        neuron,
      ], true
    ),
  ])
  func whatFollowsTheStemMayKeepItsOutput(_ parts: [Part], _ keeps: Bool) throws {
    let network = try SpikingNetwork(
      NetworkSpecification(
        parts: [Self.convolution(4)] + parts + [.linear(LinearPart())], classes: 3, imageSize: 6),
      seed: 1, arena: Arena(capacity: 16 << 20))
    #expect(network.plan.keepsStemOutput == keeps)
    var tape = Tape(arena: network.arena)
    network.beginSequence(IterationContext())
    let frame = Tensor(network.specification.input, in: network.arena)
    let stem = network.stem(frame)
    let bytes = (0..<2).map { _ in
      let before = tape.bytes
      _ = network.forward(stem, saving: &tape)
      return tape.bytes - before
    }
    // The second time step's is the same tensor.
    #expect(bytes[0] - bytes[1] == (keeps ? 4 * network.plan.stemOutput.count : 0))
  }
}
