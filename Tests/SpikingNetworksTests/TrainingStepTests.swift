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

  private struct Outcome: Equatable {
    var gradients: [Float]
    var statistics: [Float]
    var loss: Double
  }

  /// One iteration, with the image once or as one equal frame for each time step.
  private func iterate(
    _ specification: NetworkSpecification, _ rule: LearningRule, isStatic: Bool,
    iteration: Int = 0, parts: [Range<Int>] = [0..<4], observe: () -> Void = {},
    isFinal: ((_ range: Range<Int>, _ gradients: [Float]) -> Void)? = nil
  ) throws -> Outcome {
    let network = try SpikingNetwork(specification, seed: 1, arena: Arena(capacity: 1 << 28))
    if let isFinal {
      network.onFinishedGradients = { [unowned network] in
        isFinal($0, network.store.gradients[$0].elements)
      }
    }
    for parameter in network.store.parameters where parameter.values.elements.contains(0) {
      parameter.values.fill(0.5)
    }
    network.weightsDidChange()
    var random = RandomStream(seed: 1, purpose: .augmentation)
    let labels = [0, 1, 2, 0]
    let image = (0..<labels.count * specification.input.count).map { _ in 4 * random.uniform() - 2 }
    let timesteps = rule.timesteps
    let step = TrainingStep(network, rule, loss: LossSpecification())
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
        isLast: isFinal != nil && part == parts.last
      ) { _, _ in observe() }
    }
    network.completeGradients()
    return Outcome(
      gradients: network.store.gradients.elements,
      statistics: network.store.statisticValues.all.elements, loss: step.loss.value)
  }

  /// More parts than threads, and sums of layers wide enough to be divided.
  @Test(
    arguments: NetworkFamily.allCases,
    [LearningRule.sltt(timesteps: 2), .bptt(timesteps: 2)])
  func theNumberOfThreadsChangesNoBit(_ family: NetworkFamily, _ rule: LearningRule) throws {
    var specification = NetworkSpecification(
      family: family, blocks: [1, 1], width: 40, classes: 3, imageSize: 24, dropout: 0.1)
    specification.neuron.kind = .plif
    let before = ThreadPool.threads
    defer { ThreadPool.setThreads(before) }
    let outcomes = try [1, 2, 3, 8].map { threads in
      ThreadPool.setThreads(threads)
      return try iterate(specification, rule, isStatic: true)
    }
    for outcome in outcomes { #expect(outcome == outcomes[0]) }
  }

  /// What the last backward pass calls final is what it was without being asked, and comes in the order
  /// of the buffer: most of it before the pass has ended.
  @Test(
    arguments: specifications,
    [LearningRule.sltt(timesteps: 3), .slttK(timesteps: 3, k: 2), .bptt(timesteps: 3)])
  func gradientsThatAreFinalStayAsTheyAre(
    _ specification: NetworkSpecification, _ rule: LearningRule
  ) throws {
    for isStatic in [false, true] {
      let parts = [0..<3, 3..<4]
      let expected = try iterate(specification, rule, isStatic: isStatic, parts: parts)
      var ranges: [Range<Int>] = []
      var gradients: [Float] = []
      var forwardSteps = 0
      var stepsBefore: [Int] = []
      let outcome = try iterate(
        specification, rule, isStatic: isStatic, parts: parts, observe: { forwardSteps += 1 }
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
        specification, some, isStatic: isStatic, iteration: iteration
      ) { steps += 1 }
      #expect(actual == expected && expected.gradients.contains { $0 != 0 })
      #expect(
        steps == 1 + all.recordedTimesteps(seed: 1, iteration: iteration).firstIndex(of: true)!)
    }
  }

  /// Parts of a batch, whose frames of a time step lie apart, add up to its gradients.
  @Test(arguments: [false, true]) func partsOfABatchAddUp(isStatic: Bool) throws {
    let specification = Self.specification(.nfResNet)
    let rule = LearningRule.bptt(timesteps: 3)
    let whole = try iterate(specification, rule, isStatic: isStatic)
    let parts = try iterate(specification, rule, isStatic: isStatic, parts: [0..<1, 1..<4])
    expectClose(parts.gradients, whole.gradients, "gradients")
    #expect(whole.gradients.contains { $0 != 0 })
  }

  /// The stem's shortcut for images changes nothing but rounding.
  @Test(
    arguments: specifications,
    [LearningRule.sltt(timesteps: 4), .slttK(timesteps: 4, k: 2), .bptt(timesteps: 4)])
  func imagesTrainAsEqualFrames(
    _ specification: NetworkSpecification, _ rule: LearningRule
  ) throws {
    let image = try iterate(specification, rule, isStatic: true)
    let frames = try iterate(specification, rule, isStatic: false)
    #expect(image.loss == frames.loss)
    #expect(frames.gradients.contains { $0 != 0 })
    #expect(relativeDifference(image.gradients, frames.gradients) <= 1e-5)
    #expect(relativeDifference(image.statistics, frames.statistics) <= 1e-5)
  }
}
