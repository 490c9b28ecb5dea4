import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct SpikingNetworkTests {
  static let specifications: [NetworkSpecification] = [
    NetworkSpecification(
      family: .resNet, blocks: [1, 1], width: 16, classes: 5, imageSize: 16, dropout: 0.2),
    NetworkSpecification(family: .nfResNet, blocks: [1, 1], width: 16, classes: 5, imageSize: 32),
    NetworkSpecification(
      family: .nfResNetBottleneck, blocks: [1, 1], width: 16, classes: 5, imageSize: 32,
      neuron: NeuronSpecification(kind: .plif)),
    NetworkSpecification(
      family: .vgg, blocks: [1, 2], width: 16, classes: 5, imageSize: 16, dropout: 0.2),
  ]

  /// A network whose gradients all differ from 0, and a batch for it.
  private struct Setup {
    let network: SpikingNetwork
    let frame: [Float]
    let labels = [0, 1, 2, 3, 4, 0]

    init(_ specification: NetworkSpecification) throws {
      network = try SpikingNetwork(specification, seed: 1, arena: Arena(capacity: 256 << 20))
      for parameter in network.store.parameters
      where parameter.values.elements.allSatisfy({ $0 == 0 }) {
        parameter.values.assign(randomFloats(parameter.count, seed: 3).map { 0.5 + 0.1 * $0 })
      }
      network.weightsDidChange()
      frame = randomFloats(labels.count * specification.input.count, seed: 2).map { 2 * $0 }
    }

    /// Gradients and logits of three time steps, back-propagated one by one.
    func iterate() -> (gradients: [Float], logits: [Float]) {
      let loss = Loss(LossSpecification(mseWeight: 0.05), timesteps: 3)
      let shape = network.specification.input.withSamples(labels.count)
      let frame = Tensor(shape, frame, in: network.arena)
      var tape = Tape(arena: network.arena)
      var logits: [Float] = []
      network.store.gradients.fill(0)
      network.beginSequence(IterationContext(seed: 1))
      loss.begin(labels: labels, globalCount: labels.count)
      for t in 0..<3 {
        let output = network.forward(network.stem(frame), saving: &tape)
        logits += output.tensor.elements
        loss.add(output, at: t, isTrained: true)
        let g = network.backward(loss.popGradient(), from: &tape)
        network.backwardStem(g.tensor, frame: frame)
      }
      network.completeGradients()
      return (network.store.gradients.elements, logits)
    }

    /// The network after an iteration.
    func iterated() -> SpikingNetwork {
      _ = iterate()
      return network
    }
  }

  @Test(arguments: specifications)
  func layersFireByTheirThresholds(_ specification: NetworkSpecification) throws {
    let setup = try Setup(specification)
    let network = setup.network
    #expect(network.thresholds.allSatisfy { $0 == specification.neuron.threshold })
    _ = setup.iterate()
    let before = network.firingRates
    #expect(before.count == network.thresholds.count)
    network.thresholds[1] = 1000
    _ = setup.iterate()
    #expect(network.firingRates[0] == before[0] && before[1] > 0 && network.firingRates[1] == 0)
    network.thresholds[1] = 1e-3
    _ = setup.iterate()
    #expect(network.firingRates[0] == before[0] && network.firingRates[1] > before[1])
  }

  @Test(arguments: specifications)
  func theNumberOfThreadsChangesNoBit(_ specification: NetworkSpecification) throws {
    let results = try (1...3).map { threads in
      try withThreads(threads) { try Setup(specification).iterate() }
    }
    #expect(results[0].gradients.contains { $0 != 0 })
    for (threads, result) in zip(2..., results.dropFirst()) {
      expectClose(result.logits, results[0].logits, tolerance: 0, "logits, \(threads) threads")
      expectClose(
        result.gradients, results[0].gradients, tolerance: 0, "gradients, \(threads) threads")
    }
  }

  @Test(arguments: specifications)
  func iterationsRepeatBitForBit(_ specification: NetworkSpecification) throws {
    try withThreads(2) {
      let (first, second) = (try Setup(specification).iterate(), try Setup(specification).iterate())
      expectClose(first.gradients, second.gradients, tolerance: 0, "gradients")
      expectClose(first.logits, second.logits, tolerance: 0, "logits")
    }
  }

  /// Rounding moves gradients by the last bits of bfloat16, and a few spikes with them.
  @Test(arguments: specifications)
  func mixedPrecisionPointsTheSameWay(_ specification: NetworkSpecification) throws {
    var mixed = specification
    mixed.precision = .mixed
    let (expected, setup) = (try Setup(specification).iterate().gradients, try Setup(mixed))
    let actual = setup.iterate().gradients
    func product(_ a: [Float], _ b: [Float]) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let cosine =
      product(actual, expected)
      / (product(actual, actual) * product(expected, expected)).squareRoot()
    #expect(cosine > 0.97)
    #expect((actual == expected) == (setup.network.precisionProblem != nil))
  }

  @Test(arguments: specifications)
  func everyParameterHasAGradient(_ specification: NetworkSpecification) throws {
    let setup = try Setup(specification)
    _ = setup.iterate()
    for parameter in setup.network.store.parameters {
      #expect(parameter.gradient.elements.contains { $0 != 0 }, "\(parameter.name)")
    }
    let activity = setup.network.activity
    #expect(activity.spikes > 0 && activity.spikes < activity.neuronSteps)
  }

  @Test(arguments: specifications)
  func convolutionsCountTheirInputs(_ specification: NetworkSpecification) throws {
    let network = try Setup(specification).iterated()
    #expect(
      network.convolutions.map(\.layer)
        == network.layers.map(\.summary).filter { $0.kind.contains("conv") }.map(\.name))
    for convolution in network.convolutions {
      let (spikes, sites) = convolution.inputActivity
      guard convolution.readsSpikes else {
        #expect(spikes == 0 && sites == 0, "\(convolution.layer)")
        continue
      }
      #expect(sites == 3 * convolution.geometry.input(samples: 6).count, "\(convolution.layer)")
      #expect(spikes > 0 && spikes < sites, "\(convolution.layer)")
    }
    #expect(network.convolutions.contains { $0.readsSpikes })
    #expect(!network.convolutions[0].readsSpikes)
    network.beginSequence(IterationContext())
    #expect(network.convolutions.allSatisfy { $0.inputActivity == (0, 0) })
  }
}
