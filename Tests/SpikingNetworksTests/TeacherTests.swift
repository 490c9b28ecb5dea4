import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct TeacherTests {
  private let arena = Arena(capacity: 64 << 20)

  private func network(_ family: NetworkFamily, seed: UInt64) throws -> SpikingNetwork {
    try SpikingNetwork(
      NetworkSpecification(
        family: family, blocks: [1], width: 4, classes: 3, inputChannels: 1, imageSize: 8,
        dropout: 0.5), seed: seed, arena: arena)
  }

  private func frames(_ samples: Range<Int>? = nil, timesteps: Int? = nil) -> FrameSequence {
    let count = 4 * (timesteps ?? 1)
    let values = randomFloats(count * 64, seed: 3).map { 4 * $0 }
    let frames = Tensor(Shape(n: count, h: 8, w: 8, c: 1), values, in: arena)
    guard let timesteps else { return FrameSequence(static: frames, samples: samples) }
    return FrameSequence(frames, timesteps: timesteps, samples: samples)
  }

  @Test(arguments: [nil, 3] as [Int?]) func givesTheMeanOfItsTimeSteps(_ moving: Int?) throws {
    let network = try network(.vgg, seed: 1)
    var sums = [Float](repeating: 0, count: 12)
    network.evaluate(frames(timesteps: moving), timesteps: 3) { _, logits in
      for index in sums.indices { sums[index] += logits.tensor[index] }
    }
    let teacher = Teacher(network, timesteps: 3)
    let logits = teacher.logits(of: frames(timesteps: moving))
    expectClose(logits.flatMap { $0 }, sums.map { $0 / 3 }, "means")
    // With running statistics, no sample depends on the others.
    let some = teacher.logits(of: frames(1..<3, timesteps: moving))
    expectClose(some.flatMap { $0 }, logits[1..<3].flatMap { $0 }, "of some samples")
  }

  @Test func keepsNoMemory() throws {
    let teacher = Teacher(try network(.resNet, seed: 1), timesteps: 2)
    let before = arena.bytesInUse
    _ = teacher.logits(of: frames())
    #expect(arena.bytesInUse == before)
  }

  @Test(arguments: [
    LearningRule.sltt(timesteps: 2), .slttK(timesteps: 2, k: 1), .bptt(timesteps: 2),
    .ottt(timesteps: 2), .rate(timesteps: 2),
  ])
  func everyRuleLearnsFromIt(_ rule: LearningRule) throws {
    func gradients(_ teacher: Teacher?, weight: Float = 1) throws -> ([Float], Double) {
      let student = try network(.nfResNet, seed: 2)
      for parameter in student.store.parameters where parameter.values.isZero {
        parameter.values.fill(0.5)
      }
      student.weightsDidChange()
      let step = TrainingStep(
        student, rule,
        loss: LossSpecification(
          kind: rule.takesAverages ? .lossOfMean : .meanOfLosses,
          distillation: Distillation(temperature: 2, weight: weight)),
        teacher: teacher)
      for part in [0..<3, 3..<4] {
        step.accumulateGradients(
          frames(part), labels: Array([0, 1, 2, 0][part]), globalCount: 4,
          context: IterationContext(sampleOffset: part.lowerBound))
      }
      student.completeGradients()
      step.evaluate(frames(), labels: [0, 1, 2, 0], globalCount: 4)
      return (student.store.gradients.elements, step.loss.value)
    }
    let teacher = Teacher(try network(.vgg, seed: 1), timesteps: 5)
    let before = teacher.network.store.weights.all.elements
    let (alone, loss) = try gradients(nil)
    let (unheeded, _) = try gradients(teacher, weight: 0)
    let (taught, evaluated) = try gradients(teacher)
    #expect(alone == unheeded && alone != taught && taught.contains { abs($0) > 1e-4 })
    // Evaluation measures the labels' loss.
    #expect(evaluated == loss)
    #expect(teacher.network.store.weights.all.elements == before)
    #expect(teacher.network.store.gradients.isZero)
  }
}
