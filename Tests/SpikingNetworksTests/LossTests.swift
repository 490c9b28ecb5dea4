import Foundation
import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct LossTests {
  static let specifications = [
    LossSpecification(),
    LossSpecification(mseWeight: 0.05, mseTarget: .constant, mseMean: 1),
    LossSpecification(mseWeight: 0.3, mseTarget: .constant, mseMean: -0.5),
    LossSpecification(mseWeight: 0.4, mseTarget: .oneHot), LossSpecification(mseWeight: 1),
    LossSpecification(stepWeights: [0.5, 0, 2], mseWeight: 0.05),
  ]
  static let labels = [2, 0, 3, 1, 0]
  static let (timesteps, classes) = (3, 4)
  /// Logits of each time step, [N, classes].
  static let logits = (0..<timesteps).map { t in
    randomFloats(labels.count * classes, seed: t).map { 4 * $0 }
  }

  private let arena = Arena(capacity: 4 << 20)

  /// Adds the time steps' logits of the samples in `range`.
  private func add(
    _ logits: [[Float]], _ range: Range<Int>, to loss: Loss, trained: Set<Int> = [0, 1, 2]
  ) {
    loss.begin(labels: Array(Self.labels[range]), globalCount: Self.labels.count)
    for (t, logits) in logits.enumerated() {
      let part = logits[range.lowerBound * Self.classes..<range.upperBound * Self.classes]
      loss.add(
        Tensor(Shape(n: range.count, c: Self.classes), Array(part), in: arena),
        at: t, isTrained: trained.contains(t))
    }
  }

  /// Gradients of the trained time steps, the first first.
  private func gradients(_ loss: Loss) -> [[Float]] {
    var gradients: [[Float]] = []
    while loss.pendingSteps > 0 { gradients.append(loss.popGradient().tensor.elements) }
    return gradients.reversed()
  }

  /// The formula, for all samples of the given time steps.
  private func formula(
    _ logits: [[Float]], _ specification: LossSpecification, trained: Set<Int> = [0, 1, 2]
  ) -> Double {
    let λ = Double(specification.mseWeight)
    var total = 0.0
    for t in trained {
      for (sample, label) in Self.labels.enumerated() {
        let own = logits[t][sample * Self.classes..<(sample + 1) * Self.classes].map { Double($0) }
        let crossEntropy = -log(exp(own[label]) / own.reduce(0) { $0 + exp($1) })
        let squares = own.enumerated().map { c, logit in
          let target =
            specification.mseTarget == .oneHot
            ? (c == label ? 1 : 0) : Double(specification.mseMean)
          return (logit - target) * (logit - target)
        }
        total +=
          Double(specification.stepWeights?[t] ?? 1)
          * ((1 - λ) * crossEntropy + λ * squares.reduce(0, +) / Double(Self.classes))
      }
    }
    return total / Double(Self.labels.count) / Double(Self.timesteps)
  }

  @Test(arguments: specifications)
  func valueAndGradientFollowTheFormula(_ specification: LossSpecification) {
    let loss = Loss(specification, timesteps: Self.timesteps)
    for trained in [[0, 1, 2], [1]] as [Set<Int>] {
      add(Self.logits, 0..<5, to: loss, trained: trained)
      #expect(abs(loss.value - formula(Self.logits, specification, trained: trained)) < 1e-6)
      #expect(loss.pendingSteps == trained.count)
      for (t, gradient) in zip(trained.sorted(), gradients(loss)) {
        let place = view(Self.logits[t])
        let expected = numericalGradient(place, step: 1e-3) {
          var moved = Self.logits
          moved[t] = place.elements
          return formula(moved, specification)
        }
        expectClose(gradient, expected, tolerance: 2e-4, "time step \(t)")
      }
    }
  }

  @Test(arguments: specifications) func partsAddUpToTheWhole(_ specification: LossSpecification) {
    let whole = Loss(specification, timesteps: Self.timesteps)
    add(Self.logits, 0..<5, to: whole)
    let expected = gradients(whole)
    for splits in [[0..<2, 2..<5], [0..<1, 1..<1, 1..<5]] {
      var (value, correct) = (0.0, 0)
      var parts = [[Float]](repeating: [], count: Self.timesteps)
      for range in splits {
        let part = Loss(specification, timesteps: Self.timesteps)
        add(Self.logits, range, to: part)
        value += part.value
        correct += part.correct(amongTop: 1)
        for (t, gradient) in gradients(part).enumerated() { parts[t] += gradient }
      }
      #expect(abs(value - whole.value) < 1e-12)
      #expect(correct == whole.correct(amongTop: 1))
      #expect(parts == expected)
    }
  }

  static let meanLosses = [
    LossSpecification(kind: .lossOfMean),
    LossSpecification(kind: .lossOfMean, mseWeight: 0.4, mseTarget: .oneHot, labelSmoothing: 0.1),
  ]

  /// The loss of the mean of the logits is that of a single time step with these; each time step has its share
  /// of the gradient.
  @Test(arguments: meanLosses) func theMeanOfLogitsHasOneLoss(_ specification: LossSpecification) {
    let mean = Self.logits[0].indices.map { i in
      Self.logits.reduce(0) { $0 + $1[i] } / Float(Self.timesteps)
    }
    var single = specification
    single.kind = .meanOfLosses
    let expected = Loss(single, timesteps: 1)
    add([mean], 0..<5, to: expected)
    let expectedGradient = expected.popGradient().tensor.elements.map { $0 / 3 }

    let loss = Loss(specification, timesteps: Self.timesteps)
    // Twice: a batch leaves nothing behind.
    for _ in 0..<2 {
      add(Self.logits, 0..<5, to: loss)
      #expect(loss.pendingSteps == 3)
      for (t, gradient) in gradients(loss).enumerated() {
        expectClose(gradient, expectedGradient, tolerance: 1e-6, "time step \(t)")
      }
      #expect(abs(loss.value - expected.value) < 1e-6 * expected.value)
    }
  }

  /// What validation takes is the same value, and leaves no gradient.
  @Test(arguments: specifications + meanLosses)
  func valuesAreTakenWithoutGradients(_ specification: LossSpecification) {
    let loss = Loss(specification, timesteps: Self.timesteps)
    add(Self.logits, 0..<5, to: loss)
    _ = gradients(loss)
    let expected = loss.value
    loss.begin(labels: Self.labels, globalCount: Self.labels.count)
    for (t, logits) in Self.logits.enumerated() {
      loss.addValue(
        SharedTensor(Tensor(Shape(n: 5, c: Self.classes), logits, in: arena)), at: t)
    }
    #expect(loss.value == expected && loss.pendingSteps == 0)
  }

  /// Numbers of PyTorch's `cross_entropy` with `label_smoothing` and class probabilities, in float64.
  @Test func softTargetsArePyTorchs() {
    let loss = Loss(LossSpecification(labelSmoothing: 0.1), timesteps: 1)
    let logits: [Float] = [1, -2, 0.5, 3, 0.25, 0.75, -1.5, 2]
    let mixture = LabelMixture(share: 0.7, partners: [3, 0])
    loss.begin(labels: [2, 0], mixture: mixture, globalCount: 2)
    loss.add(Tensor(Shape(n: 2, c: 4), logits, in: arena), at: 0, isTrained: true)
    #expect(abs(loss.value - 2.075674531361114) < 1e-7)
    let expected: [Float] = [
      0.04277687518086962, -0.009747926436208166, -0.29397288042969427, 0.2609439316850328,
      -0.4042052240276008, 0.08361183711639339, -0.0023698868967159253, 0.3229632738079233,
    ]
    expectClose(loss.popGradient().tensor.elements, expected, tolerance: 1e-6, "gradient")
    loss.begin(labels: [2, 0], globalCount: 2)
    loss.add(Tensor(Shape(n: 2, c: 4), logits, in: arena), at: 0, isTrained: true)
    #expect(abs(loss.value - 2.413174531361114) < 1e-7)
    _ = loss.popGradient()
  }

  /// The loss is linear in the target, and the squared error's gradient in the one-hot target.
  @Test(arguments: specifications) func mixturesLieBetweenTheirLabels(
    _ specification: LossSpecification
  ) {
    let partners = [1, 0, 2, 3, 2]
    func gradient(_ labels: [Int], _ mixture: LabelMixture?) -> (Double, [Float]) {
      let loss = Loss(specification, timesteps: 1)
      loss.begin(labels: labels, mixture: mixture, globalCount: 5)
      loss.add(
        Tensor(Shape(n: 5, c: Self.classes), Self.logits[0], in: arena), at: 0, isTrained: true)
      return (loss.value, loss.popGradient().tensor.elements)
    }
    let (first, second) = (gradient(Self.labels, nil), gradient(partners, nil))
    let mixed = gradient(Self.labels, LabelMixture(share: 0.25, partners: partners))
    let expected = zip(first.1, second.1).map { 0.25 * $0 + 0.75 * $1 }
    #expect(zip(mixed.1, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    if specification.mseTarget == .constant {
      #expect(abs(mixed.0 - 0.25 * first.0 - 0.75 * second.0) < 1e-6)
    }
    // All of one label is that label, bit for bit.
    #expect(gradient(Self.labels, LabelMixture(share: 1, partners: partners)) == first)
  }

  @Test func accuracyOfMixedSamplesIsThatOfTheGreaterShare() {
    for (share, correct) in [(Float(0.6), 2), (0.5, 2), (0.4, 1)] {
      let loss = Loss(LossSpecification(), timesteps: 1)
      loss.begin(
        labels: [0, 1], mixture: LabelMixture(share: share, partners: [2, 1]), globalCount: 2)
      loss.add(Tensor(Shape(n: 2, c: 3), [5, 1, 0, 0, 5, 1], in: arena), at: 0, isTrained: false)
      #expect(loss.correct(amongTop: 1) == correct)
    }
  }

  @Test func largeLogitsDoNotOverflow() {
    let loss = Loss(LossSpecification(), timesteps: 1)
    loss.begin(labels: [0, 1], globalCount: 2)
    loss.add(Tensor(Shape(n: 2, c: 2), [1e4, 0, 1e4, 0], in: arena), at: 0, isTrained: true)
    #expect(loss.value == 5000)
    #expect(loss.popGradient().tensor.elements == [0, 0, 0.5, -0.5])
  }

  @Test func accuracyIsThatOfTheSummedLogits() {
    let loss = Loss(LossSpecification(), timesteps: 2)
    loss.begin(labels: [0, 1, 2], globalCount: 3)
    // The first time step alone would get samples 0 and 2 wrong; an untrained one counts as well.
    loss.add(
      Tensor(Shape(n: 3, c: 3), [1, 2, 0, 0, 5, 1, 3, 2, 2], in: arena), at: 0, isTrained: true)
    _ = loss.popGradient()
    #expect(loss.correct(amongTop: 1) == 1)
    loss.add(
      Tensor(Shape(n: 3, c: 3), [3, 1, 0, 0, 1, 1, 0, 0, 2], in: arena), at: 0, isTrained: false)
    #expect(loss.correct(amongTop: 1) == 3)
  }

  /// Of equal sums the first class wins, as in `argmax`.
  @Test(
    arguments: [
      ([1, 1, 0, 0], [true, false, false, false]), ([0, 2, 2, 1], [false, true, false, false]),
      ([3, 3, 3, 3], [true, false, false, false]), ([-1, -2, -1, 0], [false, false, false, true]),
    ] as [([Float], [Bool])])
  func tiesAreCountedOnce(_ logits: [Float], _ isCorrect: [Bool]) {
    for label in 0..<4 {
      let loss = Loss(LossSpecification(), timesteps: 1)
      loss.begin(labels: [label], globalCount: 1)
      loss.add(Tensor(Shape(n: 1, c: 4), logits, in: arena), at: 0, isTrained: false)
      #expect((loss.correct(amongTop: 1) == 1) == isCorrect[label])
      #expect(loss.correct(amongTop: 4) == 1)
    }
  }

  @Test func notANumberIsNeverCorrect() {
    let loss = Loss(LossSpecification(), timesteps: 1)
    loss.begin(labels: [0], globalCount: 1)
    loss.add(Tensor(Shape(n: 1, c: 2), [.nan, 0], in: arena), at: 0, isTrained: true)
    _ = loss.popGradient()
    #expect(loss.correct(amongTop: 1) == 0)
    #expect(loss.value.isNaN)
  }
}

extension Loss {
  fileprivate func add(_ logits: consuming Tensor, at t: Int, isTrained: Bool) {
    add(SharedTensor(logits), at: t, isTrained: isTrained)
  }
}
