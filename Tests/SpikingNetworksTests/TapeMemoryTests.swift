import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

/// Memory does not depend on the number of time steps under SLTT, and does under BPTT.
struct TapeMemoryTests {
  static let specifications = NetworkFamily.allCases.map {
    NetworkSpecification(
      family: $0, blocks: [1, 1], width: 4, stem: .cifar, classes: 3, imageSize: 8, dropout: 0.1)
  }

  /// Most bytes on the tape and most bytes of activations, after several iterations in which the arena
  /// grew in the first only.
  private func peaks(
    _ specification: NetworkSpecification, _ rule: LearningRule
  ) throws -> (tape: Int, arena: Int) {
    // So small a network would only wait for threads.
    try withThreads(1) {
      let arena = Arena(capacity: 1 << 30)
      let network = try SpikingNetwork(specification, seed: 1, arena: arena)
      let step = TrainingStep(network, rule, loss: LossSpecification(for: rule))
      var frame = Tensor(specification.input.withSamples(4), in: arena)
      frame.fill(1)
      let frames = FrameSequence(static: frame)
      var committed: [Int] = []
      for iteration in 0..<3 {
        step.accumulateGradients(
          frames, labels: [0, 1, 2, 0], globalCount: 4,
          context: IterationContext(seed: 1, iteration: iteration))
        network.completeGradients()
        committed.append(arena.committedBytes)
      }
      #expect(Set(committed).count == 1, "the arena grew: \(committed)")
      return (step.peakTapeBytes, arena.peakBytes)
    }
  }

  @Test(arguments: specifications)
  func slttHoldsOneStepWhateverTheirNumber(_ specification: NetworkSpecification) throws {
    let one = try peaks(specification, .sltt(timesteps: 1))
    #expect(one.tape > 0)
    for timesteps in [2, 8, 32] {
      for rule in [
        LearningRule.sltt(timesteps: timesteps), .slttK(timesteps: timesteps, k: 1),
        .slttK(timesteps: timesteps, k: (timesteps + 1) / 2),
      ] {
        #expect(try peaks(specification, rule).tape == one.tape, "\(rule)")
      }
    }
    // Nor does anything else that is held.
    let activations = try [2, 8, 32].map {
      try peaks(specification, .sltt(timesteps: $0)).arena
    }
    #expect(Set(activations).count == 1)
  }

  /// So do rules that carry more from time step to time step.
  @Test(arguments: specifications, [NormalizationKind.batch, .online])
  func otherRulesHoldAsMuchWhateverTheNumberOfSteps(
    _ specification: NetworkSpecification, _ normalization: NormalizationKind
  ) throws {
    var specification = specification
    guard normalization == .batch || specification.parts.haveBatchNorm else { return }
    specification.normalization = normalization
    var rules: [(Int) -> LearningRule] = [{ .sltt(timesteps: $0) }]
    if !specification.parts.haveSumsOfSpikes { rules.append { .ottt(timesteps: $0) } }
    if normalization == .batch { rules.append { .rate(timesteps: $0) } }
    for rule in rules {
      let peaks = try [2, 8, 32].map { try self.peaks(specification, rule($0)) }
      #expect(Set(peaks.map(\.tape)).count == 1 && Set(peaks.map(\.arena)).count == 1)
      #expect(peaks[0].tape > 0)
    }
  }

  /// A learnt tau needs v[t-1] as well, which the first step does not have.
  @Test(arguments: specifications)
  func learntTimeConstantsHoldTwoPotentials(_ specification: NetworkSpecification) throws {
    var learnt = specification
    learnt.neuron.kind = .plif
    let fixed = try peaks(specification, .sltt(timesteps: 2)).tape
    let two = try peaks(learnt, .sltt(timesteps: 2)).tape
    #expect(two > fixed && two < 2 * fixed)
    for timesteps in [8, 32] {
      #expect(try peaks(learnt, .sltt(timesteps: timesteps)).tape == two)
    }
  }

  /// The stem's output, which batch norm needs, is the same at all steps.
  @Test(arguments: specifications)
  func bpttHoldsAllSteps(_ specification: NetworkSpecification) throws {
    let plan = try NetworkPlan(specification)
    let shared = plan.keepsStemOutput ? plan.stemOutput.withSamples(4).count * 4 : 0
    let one = try peaks(specification, .bptt(timesteps: 1)).tape
    for timesteps in [2, 8] {
      let all = try peaks(specification, .bptt(timesteps: timesteps)).tape
      #expect(all == timesteps * one - (timesteps - 1) * shared)
    }
  }

  /// What `inspect` announces is what is held, but for batch norm's two numbers a channel.
  @Test(arguments: NetworkFamily.allCases, [false, true])
  func layerSummariesAddUpToTheTape(_ family: NetworkFamily, _ learnsTau: Bool) throws {
    let specification = NetworkSpecification(
      family: family, blocks: [1, 2], width: 4, stem: .cifar, classes: 3, imageSize: 8,
      neuron: NeuronSpecification(kind: learnsTau ? .plif : .lif))
    let network = try SpikingNetwork(specification, seed: 1, arena: Arena(capacity: 4 << 20))
    let perSample = network.layers.reduce(0) { $0 + $1.summary.tapeBytes }
    let normalization = network.store.statistics.reduce(0) { $0 + 4 * $1.count }
    #expect(
      try peaks(specification, .sltt(timesteps: 2)).tape
        == 4 * perSample + normalization)
  }
}
