import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct DistillationTests {
  private static let classes = 4
  private static let labels = [2, 0, 3, 1, 0]
  private static let teacher = rows(seed: 7)
  /// Logits of two time steps.
  private static let logits = (0..<2).map { rows(seed: $0) }

  private static func rows(seed: Int) -> [[Float]] {
    let values = randomFloats(labels.count * classes, seed: seed).map { 4 * $0 }
    return labels.indices.map { Array(values[$0 * classes..<($0 + 1) * classes]) }
  }

  private let arena = Arena(capacity: 4 << 20)

  /// The loss of some of the samples and its gradients, one a time step.
  private func loss(
    _ logits: [[[Float]]], _ samples: Range<Int> = 0..<5, kind: LossSpecification.Kind,
    _ distillation: Distillation?, teacher: [[Float]]? = teacher
  ) -> (value: Double, gradients: [[Float]]) {
    let loss = Loss(
      LossSpecification(kind: kind, mseWeight: 0.2, distillation: distillation), timesteps: 2)
    loss.begin(
      labels: Array(Self.labels[samples]), teacher: teacher.map { Array($0[samples]) },
      globalCount: Self.labels.count)
    for (t, rows) in logits.enumerated() {
      loss.add(
        SharedTensor(
          Tensor(
            Shape(n: samples.count, c: Self.classes), rows[samples].flatMap { $0 }, in: arena)),
        at: t, isTrained: true)
    }
    let gradients = logits.map { _ in loss.popGradient().tensor.elements }
    return (loss.value, gradients.reversed())
  }

  /// Numbers of the formula in float64, by NumPy.
  @Test func lossAndGradientAreThoseOfTheFormula() {
    let loss = Loss(
      LossSpecification(distillation: Distillation(temperature: 2, weight: 0.3)), timesteps: 1)
    loss.begin(labels: [2], teacher: [[0.5, 1, -1, 2]], globalCount: 1)
    loss.add(
      SharedTensor(Tensor(Shape(n: 1, c: 4), [1, -2, 0.5, 3], in: arena)), at: 0, isTrained: true)
    #expect(abs(loss.value - 2.2180784570492857) < 1e-7)
    let expected: [Float] = [
      0.0813830059560453, -0.1258704141221058, -0.6122230004324651, 0.6567104085985257,
    ]
    expectClose(loss.popGradient().tensor.elements, expected, tolerance: 1e-6, "gradient")
  }

  @Test(arguments: LossSpecification.Kind.allCases, [Float(0.3), 1])
  func gradientIsThatOfTheValue(_ kind: LossSpecification.Kind, weight: Float) {
    for temperature in [Float(0.5), 4] {
      let distillation = Distillation(temperature: temperature, weight: weight)
      let gradients = loss(Self.logits, kind: kind, distillation).gradients
      for t in 0..<2 {
        let place = view(Self.logits[t].flatMap { $0 })
        let expected = numericalGradient(place, step: 1e-2) {
          var moved = Self.logits
          let values = place.elements
          moved[t] = Self.labels.indices.map {
            Array(values[$0 * Self.classes..<($0 + 1) * Self.classes])
          }
          return loss(moved, kind: kind, distillation).value
        }
        expectClose(gradients[t], expected, tolerance: 1e-3, "time step \(t)")
      }
    }
  }

  @Test func partsAddUpToTheWhole() {
    let distillation = Distillation(temperature: 3, weight: 0.7)
    let whole = loss(Self.logits, kind: .meanOfLosses, distillation)
    let parts = [0..<2, 2..<2, 2..<5].map {
      loss(Self.logits, $0, kind: .meanOfLosses, distillation)
    }
    #expect(abs(parts.reduce(0) { $0 + $1.value } - whole.value) < 1e-12)
    for t in 0..<2 { #expect(parts.flatMap { $0.gradients[t] } == whole.gradients[t]) }
  }

  /// The labels' loss, as far as they count.
  @Test func withoutATeacherOrWeightTheLabelsHaveAll() {
    let plain = loss(Self.logits, kind: .meanOfLosses, nil, teacher: nil)
    let untaught = loss(
      Self.logits, kind: .meanOfLosses, Distillation(temperature: 2, weight: 0.5), teacher: nil)
    let weightless = loss(
      Self.logits, kind: .meanOfLosses, Distillation(temperature: 2, weight: 0))
    for other in [untaught, weightless] {
      #expect(other.value == plain.value && other.gradients == plain.gradients)
    }
  }

  /// Outputs as the teacher's are all that a weight of 1 asks for, whatever the labels are.
  @Test func aStudentThatEqualsItsTeacherHasNothingToLearn() {
    let taught = loss(
      [Self.teacher, Self.teacher], kind: .meanOfLosses, Distillation(temperature: 2, weight: 1))
    #expect(abs(taught.value) < 1e-12)
    #expect(taught.gradients.allSatisfy { $0.allSatisfy { abs($0) < 1e-7 } })
  }

  /// Where probabilities are too small for any number.
  @Test func extremeLogitsAreNoProblem() {
    let distillation = Distillation(temperature: 1 / 64, weight: 1)
    let (value, gradient) = distillation.loss(
      of: [1e4, 0, -1e4], teacher: distillation.logProbabilities(of: [-1e4, 0, 1e4]))
    #expect(abs(value - 2e4 / 64) < 1e-9)
    #expect(zip(gradient, [1.0 / 64, 0, -1.0 / 64]).allSatisfy { abs($0 - $1) < 1e-12 })
  }
}
