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
      : MemoryEstimate(
        network, samples: min(batch, samplesAtOnce(ranks: communicator.size)), rule: nil,
        optimizerBuffers: 0, isStatic: framesOfASample == 1,
        loadedFrames: 3 * batch * framesOfASample, before: residentBytes())
    try require(estimate, of: NodeMemory.current, ranks: communicator.localSize)
  }

  /// - Parameter ranks: that share the memory.
  func require(_ estimate: MemoryEstimate, of memory: NodeMemory?, ranks: Int) throws {
    guard let memory else { return }
    let share = min(memory.total, memory.limit ?? .max) / ranks
    guard estimate.totalBytes > share else { return }
    let (key, need, remedy) =
      if estimate.parameterBytes <= estimate.totalBytes / 2 {
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
    let teacher =
      estimate.teacherBytes > 0 ? ", the teacher \(Format.bytes(estimate.teacherBytes))" : ""
    throw error(
      key,
      "\(need) about \(Format.bytes(estimate.totalBytes)) a rank, of which weights take"
        + " \(Format.bytes(estimate.parameterBytes)), activations"
        + " \(Format.bytes(estimate.activationBytes))\(teacher) and loaded images"
        + " \(Format.bytes(estimate.loaderBytes)), but the machine has"
        + " \(Format.bytes(share)) for each: \(remedy)")
  }
}
