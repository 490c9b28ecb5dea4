import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct FiringStatisticsTests {
  private static let timesteps = 3

  private func network(levels: Int = 1) throws -> SpikingNetwork {
    try SpikingNetwork(
      NetworkSpecification(
        family: .vgg, blocks: [1, 1], width: 6, classes: 3, imageSize: 8,
        neuron: NeuronSpecification(tau: 2, threshold: 0.3, levels: levels)),
      seed: 1, arena: Arena(capacity: 64 << 20))
  }

  private func frames(_ network: SpikingNetwork, _ samples: Range<Int>) -> FrameSequence {
    let shape = network.specification.input.withSamples(4)
    return FrameSequence(
      static: Tensor(shape, randomFloats(shape.count, seed: 2).map { 3 * $0 }, in: network.arena),
      samples: samples)
  }

  private func train(
    _ network: SpikingNetwork, _ rule: LearningRule, iteration: Int = 0
  ) -> FiringStatistics {
    let step = TrainingStep(
      network, rule,
      loss: LossSpecification(kind: rule.takesAverages ? .lossOfMean : .meanOfLosses))
    step.accumulateGradients(
      frames(network, 0..<4), labels: [0, 1, 2, 0], globalCount: 4,
      context: IterationContext(seed: 1, iteration: iteration))
    network.completeGradients()
    return network.firing
  }

  /// Whatever the rule, time steps are counted once and have the same spikes; weights stay as they are.
  @Test(arguments: [1, 4]) func everyRuleCountsTheSame(_ levels: Int) throws {
    let network = try network(levels: levels)
    let expected = train(network, .sltt(timesteps: Self.timesteps))
    #expect(expected.samples == [4, 4, 4])
    #expect(expected.layers.map(\.name) == network.plan.neurons.map(\.name))
    #expect(expected.layers.map(\.neurons) == network.plan.neurons.map(\.summary.output.count))
    #expect(expected.layers.allSatisfy { Set($0.spikes).count > 1 && $0.spikes[2] > 0 })
    #expect(expected.spikes == network.activity.spikes)
    #expect(expected.neuronSteps == network.activity.neuronSteps)
    for rule: LearningRule in [
      .bptt(timesteps: Self.timesteps), .ottt(timesteps: Self.timesteps),
      .rate(timesteps: Self.timesteps), .slttK(timesteps: Self.timesteps, k: 1),
    ] {
      #expect(train(network, rule) == expected)
    }
  }

  @Test func timeStepsThatDoNotRunHaveNoSamples() throws {
    let network = try network()
    let rule = LearningRule.slttK(timesteps: Self.timesteps, k: 1, skipsTrailing: true)
    var total = FiringStatistics(of: network.plan, timesteps: Self.timesteps)
    for iteration in 0..<8 { total.add(train(network, rule, iteration: iteration)) }
    #expect(total.samples[0] == 32)
    #expect(total.samples[1] < 32 && total.samples[2] < total.samples[1] && total.samples[2] > 0)
    // The same batch each time: the rates of a time step do not depend on how often it ran.
    let whole = train(network, .sltt(timesteps: Self.timesteps))
    for (layer, expected) in zip(total.layers, whole.layers) {
      for (rate, expected) in zip(total.rates(of: layer), whole.rates(of: expected)) {
        #expect(abs(rate - expected) < 1e-12)
      }
    }
  }

  /// Parts of a batch, and single spikes of several levels, add up to the whole.
  @Test(arguments: [false, true]) func evaluationCountsAndSeesWhoIsSilent(
    _ isUnrolled: Bool
  ) throws {
    let network = try network(levels: 4)
    func evaluate(_ samples: Range<Int>, isUnrolled: Bool = false) -> FiringStatistics {
      network.evaluate(
        frames(network, samples), timesteps: Self.timesteps, isUnrolled: isUnrolled
      ) { _, _ in }
      return network.firing
    }
    let whole = evaluate(0..<4)
    network.observeFired()
    var parts = FiringStatistics(of: network.plan, timesteps: Self.timesteps)
    for part in [0..<1, 1..<4] { parts.add(evaluate(part, isUnrolled: isUnrolled)) }
    let fired = network.takeFired()
    #expect(parts == whole)
    parts.enter(fired: fired)
    for (layer, fired) in zip(parts.layers, fired) {
      #expect(layer.silent == layer.neurons - fired.count)
      #expect(layer.silentShare! >= 0 && layer.silentShare! < 1)
    }
    network.thresholds[0] = 1e6
    network.observeFired()
    _ = evaluate(0..<4)
    #expect(network.takeFired()[0].count == 0)
    #expect(network.neurons.allSatisfy { $0.fired == nil })
  }
}
