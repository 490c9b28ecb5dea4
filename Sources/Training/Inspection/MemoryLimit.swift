import Configuration
import Datasets
import Distributed
import SpikingNetworks
import Support
import Tensors

extension Configuration {
  /// Checks, before anything large is made, that a rank's part fits into the memory of its node.
  ///
  /// An estimate is never quite right, so only what exceeds all of that memory is refused.
  ///
  /// - Parameters:
  ///   - samples: of the data set.
  ///   - teacher: the network that is learnt from.
  ///   - trains: whether there are gradients, as against an evaluation.
  /// - Throws: `ConfigurationError`; `NetworkError` where there is no such network.
  package func requireMemory(
    for specification: NetworkSpecification, _ backend: ConvolutionBackend, samples: Int,
    teacher: NetworkSpecification? = nil, trains: Bool = true, _ communicator: any Communicator
  ) throws {
    let network = try NetworkPlan(specification, backend: backend)
    let batch = Sampler(
      sampleCount: samples, globalBatch: training.globalBatch, rank: communicator.rank,
      rankCount: communicator.size, order: .sequential
    ).largestBatch
    let estimate =
      trains
      ? MemoryEstimate(
        network, self, ranks: communicator.size, batch: batch,
        optimizerBuffers: optimizerBuffers,
        teacher: try teacher.map { try NetworkPlan($0, backend: backend) }, before: residentBytes())
      : forwardMemory(of: network, batch: batch, ranks: communicator.size)
    try require(estimate, of: NodeMemory.current, ranks: communicator.localSize)
  }

  /// The same of a prediction, of which people choose only how many inputs there are at once.
  ///
  /// - Parameter samples: that are given.
  /// - Throws: `TrainingError`; `NetworkError` where there is no such network.
  func requireMemoryToPredict(
    with specification: NetworkSpecification, _ backend: ConvolutionBackend, samples: Int
  ) throws {
    let batch = min(samples, training.globalBatch)
    let network = try NetworkPlan(specification, backend: backend)
    try requireToPredict(
      forwardMemory(of: network, batch: batch, ranks: 1), of: NodeMemory.current, batch: batch)
  }

  /// - Parameter batch: of a rank.
  private func forwardMemory(of network: NetworkPlan, batch: Int, ranks: Int) -> MemoryEstimate {
    MemoryEstimate(
      network, samples: min(batch, samplesAtOnce(ranks: ranks)), rule: nil,
      optimizerBuffers: 0, isStatic: framesOfASample == 1,
      loadedFrames: 3 * batch * framesOfASample, before: residentBytes())
  }

  /// - Parameter ranks: that share the memory.
  func require(_ estimate: MemoryEstimate, of memory: NodeMemory?, ranks: Int) throws {
    guard let share = estimate.tooSmallShare(of: memory, ranks: ranks) else { return }
    let (key, need, remedy) =
      if !estimate.isMostlyOfWeights {
        (
          "training.global_batch", "= \(training.globalBatch) needs",
          "lower it, set training.micro_batch, lower data.image_size or the network's channels, or"
            + " take more machines"
        )
      } else if let width = model.width {
        ("model.width", "= \(width) needs", "lower it, or take fewer stages or blocks")
      } else {
        ("model.layers", "need", "take fewer channels or layers")
      }
    throw error(
      key,
      "\(need) about \(Format.bytes(estimate.totalBytes)) a rank, \(estimate.largestParts), but the"
        + " machine has \(Format.bytes(share)) for each: \(remedy)")
  }

  /// - Parameter batch: inputs at once.
  func requireToPredict(
    _ estimate: MemoryEstimate, of memory: NodeMemory?, batch: Int
  ) throws {
    guard let share = estimate.tooSmallShare(of: memory, ranks: 1) else { return }
    let remedy =
      batch > 1 && !estimate.isMostlyOfWeights
      ? "lower it with --batch" : "take a machine with more memory, or a smaller network"
    throw TrainingError(
      description: "a batch of \(Format.counted(batch, "input")) needs about"
        + " \(Format.bytes(estimate.totalBytes)), \(estimate.largestParts), but the machine has"
        + " \(Format.bytes(share)): \(remedy)")
  }
}

extension MemoryEstimate {
  /// What each of `ranks` has of the memory, where it does not suffice.
  fileprivate func tooSmallShare(of memory: NodeMemory?, ranks: Int) -> Int? {
    guard let memory else { return nil }
    let share = min(memory.total, memory.limit ?? .max) / ranks
    return totalBytes > share ? share : nil
  }

  fileprivate var isMostlyOfWeights: Bool { parameterBytes > totalBytes / 2 }

  /// For messages.
  fileprivate var largestParts: String {
    let teacher = teacherBytes > 0 ? ", the teacher \(Format.bytes(teacherBytes))" : ""
    return "of which weights take \(Format.bytes(parameterBytes)), activations"
      + " \(Format.bytes(activationBytes))\(teacher) and loaded images \(Format.bytes(loaderBytes))"
  }
}
