import Distributed
import SpikingNetworks
import Tensors
import TestSupport
import Testing

@testable import Training

struct MemoryEstimateTests {
  private static let methods = ["sltt", "bptt", "ottt", "rate"].map { "method.name=\($0)" }

  /// OTTT has no traces of sums of spikes.
  private static let cases = NetworkFamily.allCases.flatMap { family in
    methods.filter {
      $0 != "method.name=ottt" || ![.sewResNet, .sewResNetBottleneck].contains(family)
    }.map { (family, $0) }
  }

  private func network(
    _ family: NetworkFamily, _ memory: MemoryUse = .fast
  ) throws -> NetworkPlan {
    try NetworkPlan(
      NetworkSpecification(
        family: family, blocks: [1, 1], width: 8, classes: 3, imageSize: 16, memory: memory),
      arena: Arena(capacity: 4 << 20))
  }

  @Test(arguments: NetworkFamily.allCases) func growsWithSamplesAndWindow(_ family: NetworkFamily)
    throws
  {
    let network = try network(family)
    func estimate(_ samples: Int, _ window: Int, buffers: Int = 1) -> MemoryEstimate {
      MemoryEstimate(
        network, samples: samples, rule: .bptt(timesteps: window), optimizerBuffers: buffers,
        before: 0)
    }
    let one = estimate(1, 1)
    let count = network.weightCount
    #expect(one.tapeBytes > 0 && one.temporaryBytes > 0)
    #expect(one.loaderBytes == 3 * 16 * 16 * 3 * 4)
    // The stem's output, where batch norm needs it, is the same at all time steps.
    #expect(network.keepsStemOutput == ![.nfResNet, .nfResNetBottleneck].contains(family))
    let shared = network.keepsStemOutput ? 4 * network.stemOutput.count : 0
    #expect(estimate(4, 3).tapeBytes == 12 * one.tapeBytes - 4 * 2 * shared)
    #expect(estimate(4, 1).temporaryBytes > one.temporaryBytes)
    #expect(estimate(4, 3).parameterBytes == one.parameterBytes)
    #expect(
      estimate(1, 1, buffers: 2).parameterBytes
        == one.parameterBytes + 4 * count)
    #expect(
      MemoryEstimate(
        network, samples: 2, rule: .sltt(timesteps: 1), optimizerBuffers: 1, loadedFrames: 30,
        before: 0
      ).loaderBytes == 10 * one.loaderBytes)
    #expect(
      MemoryEstimate(
        network, samples: 1, rule: .sltt(timesteps: 1), optimizerBuffers: 1, stateRanks: 4,
        before: 0
      )
      .parameterBytes == one.parameterBytes - 4 * (count - count / 4))
    // Copies of weights and momentum, and the largest parameter once more.
    let largest = network.largestParameter
    #expect(one.checkpointBytes == 4 * (2 * count + largest))
    #expect(estimate(1, 1, buffers: 2).checkpointBytes == 4 * (3 * count + largest))
    func lean(_ stateRanks: Int) throws -> Int {
      MemoryEstimate(
        try self.network(family, .lean), samples: 1, rule: .sltt(timesteps: 1), optimizerBuffers: 1,
        stateRanks: stateRanks, before: 0
      ).checkpointBytes
    }
    #expect(try lean(1) == 4 * largest)
    // One gathered, and one in the shape of the file.
    #expect(try lean(2) == 2 * 4 * largest)
    #expect(
      one.totalBytes - one.programBytes
        == one.parameterBytes + one.tapeBytes + one.stateBytes + one.temporaryBytes
        + one.loaderBytes)
  }

  /// What the arena takes, but for holes; within the scratch memory of threads, which counts as if all
  /// neurons fired.
  @Test(arguments: cases)
  func expectsTheActivationsOfTraining(_ family: NetworkFamily, _ method: String) throws {
    for memory in MemoryUse.allCases {
      let job = try SmallJob(
        [
          "model.family=\(family.rawValue)", "model.blocks=[1,1]", "model.width=16",
          "training.memory=\(memory.rawValue)", "data.image_size=32", method,
        ], SingleProcess())
      let estimate = try withOneThread {
        try job.trainOnce()
        return MemoryEstimate(
          job.network.plan, samples: 10, rule: job.configuration.method.rule,
          optimizerBuffers: 1, before: 0)
      }
      let expected = estimate.tapeBytes + estimate.stateBytes + estimate.temporaryBytes
      let ratio = Double(expected) / Double(job.network.arena.peakBytes)
      #expect(ratio >= 1 && ratio < 1.4, "\(family) \(memory): \(ratio)")
    }
  }

  /// Membrane potentials are there without a tape, too. Beside so little, the scratch memory of threads is
  /// much.
  @Test(arguments: NetworkFamily.allCases) func expectsTheActivationsOfEvaluation(
    _ family: NetworkFamily
  ) throws {
    let job = try SmallJob(
      [
        "model.family=\(family.rawValue)", "model.blocks=[1,1]", "model.width=16",
        "data.image_size=32", "training.global_batch=13",
      ], SingleProcess())
    let estimate = try withOneThread {
      _ = try job.evaluate()
      return MemoryEstimate(
        job.network.plan, samples: 13, rule: nil, optimizerBuffers: 0, before: 0)
    }
    #expect(estimate.tapeBytes == 0)
    let ratio = Double(estimate.activationBytes) / Double(job.network.arena.peakBytes)
    #expect(ratio >= 1 && ratio < 3, "\(family): \(ratio)")
  }

  /// The more threads, the more memory, but no gradients for each of them.
  @Test func growsLittleWithThreads() throws {
    let network = try NetworkPlan(
      NetworkSpecification(
        family: .resNet, blocks: [1, 1, 1, 1], width: 64, classes: 3, imageSize: 32),
      arena: Arena(capacity: 4 << 20))
    let sizes = [1, 2, 16, 64].map { threads in
      withThreads(threads) {
        MemoryEstimate(
          network, samples: 32, rule: .sltt(timesteps: 1), optimizerBuffers: 1, before: 0
        ).totalBytes
      }
    }
    #expect(sizes.sorted() == sizes)
    #expect(sizes[3] - sizes[0] < 64 << 20)
  }

  /// But for batch norm's two numbers a channel. Most of what `rate` keeps are averages beside the tape.
  @Test(arguments: methods.filter { $0 != "method.name=rate" })
  func expectsTheTapeThatTrainingNeeds(_ method: String) throws {
    for family in ["nf-resnet", "nf-resnet-bottleneck", "resnet"] {
      let job = try SmallJob(
        ["model.family=\(family)", "model.blocks=[1,1]", "model.width=8", method], SingleProcess())
      _ = try job.train(epochs: 1)
      let estimate = MemoryEstimate(
        job.network.plan, samples: 10, rule: job.configuration.method.rule,
        optimizerBuffers: 1, before: 0)
      let measured = job.trainer.peakTapeBytes
      let ratio = Double(measured) / Double(estimate.tapeBytes)
      #expect(ratio >= 1 && ratio < 1.05, "\(family): \(measured) of \(estimate.tapeBytes)")
    }
  }
}
