import Configuration
import Distributed
import SpikingNetworks
import Tensors
import TestSupport
import Testing

@testable import Training

struct TeacherCheckpointTests {
  private let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("teacher.safetensors")
  }

  private static let model = ["model.family=vgg", "model.blocks=[1]", "model.width=4"]

  /// Writes a teacher, and gives its job.
  private func teach(
    _ overrides: String..., classes: [String] = ["0", "1", "2"]
  ) throws -> SmallJob {
    let job = try SmallJob(Self.model + overrides, SingleProcess())
    _ = try job.train(epochs: 1)
    try job.write(to: path, classes: classes)
    return job
  }

  private func student(_ overrides: String...) throws -> SmallJob {
    try SmallJob(
      ["model.family=resnet", "model.blocks=[1]", "model.width=6", "distill.checkpoint=\(path)"]
        + overrides, SingleProcess())
  }

  @Test func mayBeAnotherKindOfNetwork() throws {
    let teacher = try teach("method.timesteps=2", "neuron.levels=3", "neuron.tau=2")
    let job = try student()
    let read = try #require(job.trainer.teacher?.network)
    #expect(read.specification == teacher.network.specification)
    #expect(read.store.weights.all.elements == teacher.network.store.weights.all.elements)
    #expect(
      read.store.statisticValues.all.elements
        == teacher.network.store.statisticValues.all.elements)
    #expect(read.arena === job.network.arena)
  }

  @Test func isRefusedWhereItSeesOrSaysAnotherThing() throws {
    _ = try teach()
    func problem(_ override: String) -> String {
      message { _ = try student(override) }
    }
    #expect(
      problem("data.image_size=20")
        == "--set distill.checkpoint=\(path): distill.checkpoint = \(path) was trained with"
        + " data.image_size 16, which is now 20: it must see what the network sees, so make them equal"
    )
    #expect(problem("data.normalization=none").contains("trained with data.normalization mnist"))
    #expect(problem("model.classes=5").hasSuffix("and this network 5: make model.classes equal"))
    _ = try teach(classes: ["0", "1", "3"])
    #expect(
      problem("model.dropout=0")
        == "--set distill.checkpoint=\(path): distill.checkpoint names no teacher for this network:"
        + " \(path) was trained on other classes: number 2 (from 0) is '3' there and '2' in these data"
    )
    try directory.write("x", to: "teacher.safetensors")
    #expect(problem("model.dropout=0").contains("distill.checkpoint names no teacher"))
  }

  @Test func aChecksumTellsTeachersApart() throws {
    _ = try teach()
    let first = try student().trainer.teacher?.checksum
    #expect(try student("distill.weight=0.1").trainer.teacher?.checksum == first)
    _ = try teach("training.seed=3")
    let other = try student().trainer.teacher?.checksum
    #expect(first != nil && other != nil && first != other)
  }

  @Test func microBatchesAddUpToTheBatch() throws {
    _ = try teach()
    func train(_ overrides: String...) throws -> (metrics: [IterationMetrics], weights: [Float]) {
      let job = try SmallJob(
        DataParallelTrainerMPITests.normalizerFree[0]
          + ["distill.checkpoint=\(path)", "distill.weight=0.8", "data.mixup=0.4"] + overrides,
        SingleProcess())
      job.assign { name, _ in name.hasSuffix("gain") ? 2 : nil }
      return (try job.train(epochs: 2), job.network.store.weights.all.elements)
    }
    let (whole, parts) = (try train(), try train("training.micro_batch=4"))
    let other = try train("distill.temperature=1")
    #expect(relativeDifference(parts.weights, whole.weights) < 2e-5)
    #expect(relativeDifference(other.weights, whole.weights) > 1e-4)
    for (part, whole) in zip(parts.metrics, whole.metrics) {
      #expect(abs(part.loss - whole.loss) < 1e-5 * whole.loss && whole.spikes > 0)
    }
  }

  /// Its weights, and activations only as far as they are more than training's.
  @Test func countsInTheEstimateOfMemory() throws {
    _ = try teach()
    let configuration = try student().configuration
    func plan(width: Int) throws -> NetworkPlan {
      try NetworkPlan(
        NetworkSpecification(
          family: .vgg, blocks: [1], width: width, classes: 3, inputChannels: 1, imageSize: 16),
        arena: Arena(capacity: 4 << 20))
    }
    func estimate(teacher: NetworkPlan?) throws -> MemoryEstimate {
      MemoryEstimate(
        try plan(width: 8), configuration, ranks: 1, batch: 10, optimizerBuffers: 1,
        teacher: teacher, before: 0)
    }
    let alone = try estimate(teacher: nil)
    let small = try plan(width: 4)
    let taught = try estimate(teacher: small)
    #expect(alone.teacherBytes == 0)
    #expect(taught.teacherBytes >= 8 * small.weightCount)
    #expect(taught.totalBytes == alone.totalBytes + taught.teacherBytes)
    let large = try plan(width: 64)
    let demanding = try estimate(teacher: large).teacherBytes
    #expect(demanding > 8 * large.weightCount + alone.activationBytes)
  }
}
