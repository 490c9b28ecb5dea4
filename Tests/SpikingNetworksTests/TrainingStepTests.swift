import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct TrainingStepTests {
  static let specifications = NetworkFamily.allCases.map(specification)

  private static func specification(_ family: NetworkFamily) -> NetworkSpecification {
    NetworkSpecification(
      family: family, blocks: [1, 1], width: 4, stem: .cifar, classes: 3, imageSize: 8, dropout: 0.1
    )
  }

  /// A rule, and a network that it is defined for.
  struct Case: CustomTestStringConvertible, Sendable {
    var specification: NetworkSpecification
    var rule: LearningRule
    var testDescription: String {
      "\(specification.title), \(specification.normalization), \(rule)"
    }
  }

  /// Each network with each of the rules that are defined for it; with batch norm also online norm.
  static func cases(
    of specifications: [NetworkSpecification] = specifications, _ rules: [LearningRule]
  ) -> [Case] {
    specifications.flatMap { specification in
      var online = specification
      online.normalization = .online
      return rules.flatMap { rule in
        if rule.keepsTraces && specification.parts.haveSumsOfSpikes { return [] as [Case] }
        let hasOnline =
          specification.parts.haveBatchNorm && !rule.isThroughTime && !rule.takesAverages
        return [Case(specification: specification, rule: rule)]
          + (hasOnline ? [Case(specification: online, rule: rule)] : [])
      }
    }
  }

  private struct Outcome: Equatable {
    var gradients: [Float]
    var statistics: [Float]
    var loss: Double
  }

  /// One iteration, with the image once or as one equal frame for each time step.
  private func iterate(
    _ specification: NetworkSpecification, _ rule: LearningRule, isStatic: Bool,
    iteration: Int = 0, parts: [Range<Int>] = [0..<4],
    observe: (_ t: Int, borrowing Tensor) -> Void = { _, _ in },
    isFinal: ((_ range: Range<Int>, _ gradients: [Float]) -> Void)? = nil
  ) throws -> Outcome {
    let network = try SpikingNetwork(specification, seed: 1, arena: Arena(capacity: 1 << 28))
    if let isFinal {
      network.onFinishedGradients = { [unowned network] in
        isFinal($0, network.store.gradients[$0].elements)
      }
    }
    for parameter in network.store.parameters {
      if parameter.values.elements.contains(0) { parameter.values.fill(0.5) }
      // A normalizer-free network as narrow as this would hardly fire.
      if parameter.name.hasSuffix(".gain") { parameter.values.fill(2) }
    }
    network.weightsDidChange()
    var random = RandomStream(seed: 1, purpose: .augmentation)
    let labels = [0, 1, 2, 0]
    let image = (0..<labels.count * specification.input.count).map { _ in 4 * random.uniform() - 2 }
    let timesteps = rule.timesteps
    let step = TrainingStep(network, rule, loss: LossSpecification(for: rule))
    for part in parts {
      let frames =
        isStatic
        ? FrameSequence(
          static: Tensor(specification.input.withSamples(labels.count), image, in: network.arena),
          samples: part)
        : FrameSequence(
          Tensor(
            specification.input.withSamples(timesteps * labels.count),
            (0..<timesteps).flatMap { _ in image }, in: network.arena), timesteps: timesteps,
          samples: part)
      step.accumulateGradients(
        frames, labels: Array(labels[part]), globalCount: labels.count,
        context: IterationContext(seed: 1, iteration: iteration),
        isLast: isFinal != nil && part == parts.last, observe: observe)
    }
    network.completeGradients()
    network.gatherStatistics(share: 1)
    network.updateStatistics()
    return Outcome(
      gradients: network.store.gradients.elements,
      statistics: network.store.statisticValues.all.elements, loss: step.expectedLoss)
  }

  /// More parts than threads, and sums of layers wide enough to be divided.
  @Test(
    arguments: cases(
      of: NetworkFamily.allCases.map {
        NetworkSpecification(
          family: $0, blocks: [1, 1], width: 40, classes: 3, imageSize: 24, dropout: 0.1)
      },
      [.sltt(timesteps: 2), .bptt(timesteps: 2), .ottt(timesteps: 2), .rate(timesteps: 2)]))
  func theNumberOfThreadsChangesNoBit(_ test: Case) throws {
    var specification = test.specification
    if !test.rule.takesAverages { specification.neuron.kind = .plif }
    let outcomes = try [1, 2, 3, 8].map { threads in
      try withThreads(threads) { try iterate(specification, test.rule, isStatic: true) }
    }
    for outcome in outcomes { #expect(outcome == outcomes[0]) }
  }

  /// What the last backward pass calls final is what it was without being asked, and comes in the order
  /// of the buffer: most of it before the pass has ended.
  @Test(
    arguments: cases([
      .sltt(timesteps: 3), .slttK(timesteps: 3, k: 2), .bptt(timesteps: 3), .ottt(timesteps: 3),
      .rate(timesteps: 3),
    ]))
  func gradientsThatAreFinalStayAsTheyAre(_ test: Case) throws {
    let (specification, rule) = (test.specification, test.rule)
    for isStatic in [false, true] {
      let parts = [0..<3, 3..<4]
      let expected = try iterate(specification, rule, isStatic: isStatic, parts: parts)
      var ranges: [Range<Int>] = []
      var gradients: [Float] = []
      var forwardSteps = 0
      var stepsBefore: [Int] = []
      let outcome = try iterate(
        specification, rule, isStatic: isStatic, parts: parts,
        observe: { _, _ in forwardSteps += 1 }
      ) { range, values in
        ranges.append(range)
        gradients += values
        stepsBefore.append(forwardSteps)
      }
      #expect(outcome == expected && gradients == expected.gradients)
      #expect(ranges.count >= 3 && ranges.first?.lowerBound == 0)
      #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
      #expect(stepsBefore.allSatisfy { $0 > 3 }, "not before the last part")
    }
  }

  /// Whichever time steps SLTT-K trains, its loss stands for that of all.
  @Test func lossIsThatOfAllTimesteps() throws {
    var specification = Self.specification(.nfResNet)
    specification.dropout = 0
    let rule = LearningRule.slttK(timesteps: 3, k: 1)
    var losses: [Int: Double] = [:]
    for iteration in 0..<20 {
      let t = rule.recordedTimesteps(seed: 1, iteration: iteration).firstIndex(of: true)!
      losses[t] = try iterate(specification, rule, isStatic: true, iteration: iteration).loss
    }
    #expect(losses.count == 3 && Set(losses.values).count > 1)
    let all = try iterate(specification, .sltt(timesteps: 3), isStatic: true).loss
    #expect(abs(losses.values.reduce(0, +) / 3 - all) < 1e-6)
  }

  /// Steps after the last trained one change neither loss nor gradients.
  @Test(arguments: [.nfResNet, .nfResNetBottleneck] as [NetworkFamily], [false, true])
  func trailingStepsChangeNoGradient(_ family: NetworkFamily, _ isStatic: Bool) throws {
    let specification = Self.specification(family)
    for iteration in 0..<4 {
      let all = LearningRule.slttK(timesteps: 5, k: 1)
      let some = LearningRule.slttK(timesteps: 5, k: 1, skipsTrailing: true)
      var steps = 0
      let expected = try iterate(specification, all, isStatic: isStatic, iteration: iteration)
      let actual = try iterate(
        specification, some, isStatic: isStatic, iteration: iteration,
        observe: { _, _ in steps += 1 })
      #expect(actual == expected && expected.gradients.contains { $0 != 0 })
      #expect(
        steps == 1 + all.recordedTimesteps(seed: 1, iteration: iteration).firstIndex(of: true)!)
    }
  }

  /// Parts of a batch, whose frames of a time step lie apart, add up to its gradients.
  @Test(
    arguments: [LearningRule.bptt(timesteps: 3), .ottt(timesteps: 3), .rate(timesteps: 3)],
    [false, true])
  func partsOfABatchAddUp(_ rule: LearningRule, isStatic: Bool) throws {
    let specification = Self.specification(.nfResNet)
    let whole = try iterate(specification, rule, isStatic: isStatic)
    let parts = try iterate(specification, rule, isStatic: isStatic, parts: [0..<1, 1..<4])
    expectClose(parts.gradients, whole.gradients, "gradients")
    #expect(whole.gradients.contains { $0 != 0 })
  }

  /// The stem's shortcut for images changes nothing but rounding.
  @Test(
    arguments: cases([
      .sltt(timesteps: 4), .slttK(timesteps: 4, k: 2), .bptt(timesteps: 4), .ottt(timesteps: 4),
      .rate(timesteps: 4),
    ]))
  func imagesTrainAsEqualFrames(_ test: Case) throws {
    let image = try iterate(test.specification, test.rule, isStatic: true)
    let frames = try iterate(test.specification, test.rule, isStatic: false)
    #expect(image.loss == frames.loss)
    #expect(frames.gradients.contains { $0 != 0 })
    #expect(relativeDifference(image.gradients, frames.gradients) <= 1e-5)
    #expect(relativeDifference(image.statistics, frames.statistics) <= 1e-5)
  }

  /// With one time step, traces are spikes, and averages are that time step's.
  @Test(arguments: specifications)
  func ofOneStepRulesAreTheSame(_ specification: NetworkSpecification) throws {
    let sltt = try iterate(specification, .sltt(timesteps: 1), isStatic: true)
    #expect(sltt.gradients.contains { $0 != 0 })
    if !specification.parts.haveSumsOfSpikes {
      #expect(try iterate(specification, .ottt(timesteps: 1), isStatic: true) == sltt)
    }
    let rate = try iterate(specification, .rate(timesteps: 1), isStatic: true)
    #expect(relativeDifference(rate.gradients, sltt.gradients) <= 1e-5)
    #expect(rate.statistics == sltt.statistics && abs(rate.loss - sltt.loss) < 1e-6)
  }

  /// Traces of neurons that keep nothing are spikes.
  @Test(arguments: specifications.filter { !$0.parts.haveSumsOfSpikes })
  func withoutMemoryTracesAreSpikes(_ specification: NetworkSpecification) throws {
    var specification = specification
    specification.neuron.tau = 1
    let sltt = try iterate(specification, .sltt(timesteps: 3), isStatic: false)
    let ottt = try iterate(specification, .ottt(timesteps: 3), isStatic: false)
    #expect(sltt.gradients.contains { $0 != 0 })
    #expect(relativeDifference(ottt.gradients, sltt.gradients) <= 1e-5)
  }

  /// With more, each rule has gradients of its own.
  @Test func ofSeveralStepsRulesDiffer() throws {
    let rules: [LearningRule] = [
      .sltt(timesteps: 3), .bptt(timesteps: 3), .ottt(timesteps: 3), .rate(timesteps: 3),
    ]
    let gradients = try rules.map {
      try iterate(Self.specification(.resNet), $0, isStatic: true).gradients
    }
    for (index, own) in gradients.enumerated() {
      for other in gradients[..<index] { #expect(relativeDifference(own, other) > 1e-2) }
    }
  }

  /// Online norm takes statistics that are the same for all samples, whatever the parts of the batch.
  @Test(arguments: specifications.filter(\.parts.haveBatchNorm), [false, true])
  func onlineNormDoesNotDependOnTheParts(
    _ specification: NetworkSpecification, _ isStatic: Bool
  ) throws {
    func logits(_ normalization: NormalizationKind, _ parts: [Range<Int>]) throws -> [[Float]] {
      var specification = specification
      (specification.normalization, specification.dropout) = (normalization, 0)
      var logits = [[Float]](repeating: [], count: 3)
      _ = try iterate(
        specification, .sltt(timesteps: 3), isStatic: isStatic, parts: parts,
        observe: { t, part in logits[t] += part.elements })
      return logits
    }
    let whole = try logits(.online, [0..<4])
    for (parts, whole) in zip(try logits(.online, [0..<1, 1..<4]), whole) {
      #expect(relativeDifference(parts, whole) < 1e-6)
    }
    #expect(Set(whole.joined()).count > 3)
    let (parts, other) = (try logits(.batch, [0..<1, 1..<4]), try logits(.batch, [0..<4]))
    #expect(relativeDifference(parts[0], other[0]) > 1e-3)
  }
}
