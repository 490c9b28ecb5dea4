@testable import Configuration
import Distributed
import Foundation
import SpikingNetworks
import TestSupport
import Testing

@testable import Training

/// Checkpoints of an optimizer whose state is divided among the ranks, in chunks so short that parameters
/// span many of them.
@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct CheckpointMPITests {
  let communicator: any Communicator
  /// On rank 0.
  private let directory: TemporaryDirectory?

  init() throws {
    communicator = try Launch.current.communicator()
    directory = communicator.isRoot ? try TemporaryDirectory() : nil
  }

  private func job(_ settings: String..., divided: Bool = true) throws -> SmallJob {
    try SmallJob(
      ["model.blocks=[1,1]", "model.width=4", "optimizer.shard=\(divided)"] + settings,
      communicator, chunkLength: 97)
  }

  /// Writes a checkpoint as a run does; returns what `check` says of its directory, on rank 0.
  private func write<Result>(
    _ job: SmallJob, copies: Bool, _ check: (Checkpoint) throws -> Result
  ) throws -> Result? {
    let replica = job.trainer.replica
    let gathering = try replica.gatherOptimizerState(isWanted: true)
    return try replica.withPublishedWeights {
      var result: Result?
      if let directory {
        let path = directory.file(UUID().uuidString)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Checkpoint.write(
          Snapshot(job.network, replica.optimizer, gathering: gathering, copies: copies),
          .example(iteration: 3, updates: replica.optimizer.updates), to: path)
        result = try check(try Checkpoint(contentsOf: path).verified())
      }
      try gathering?.finish()
      return result
    }
  }

  private func optimizerFile(_ checkpoint: Checkpoint) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: checkpoint.path + "/" + Checkpoint.optimizerName))
  }

  /// The state of an undivided optimizer goes to a divided one, which writes the same file, and back.
  @Test(
    arguments: ["optimizer.name=sgd", "optimizer.name=adamw", "training.ema=0.5"], [false, true])
  func aDividedOptimizerHasTheSameFile(_ name: String, copies: Bool) throws {
    let whole = try job(name, divided: false)
    _ = try whole.train(epochs: 1)
    let checkpoint = try write(whole, copies: copies) { $0 }
    let (divided, undivided) = (try job(name), try job(name, divided: false))
    try divided.trainer.replica.restore(checkpoint)
    #expect(divided.trainer.replica.optimizer.updates == 3)
    let own = try write(divided, copies: copies) { $0 }
    if let checkpoint, let own {
      #expect(try optimizerFile(own) == optimizerFile(checkpoint))
    }
    try undivided.trainer.replica.restore(own)
    let states = [undivided, whole].map(\.trainer.replica.optimizer.state)
    for (state, expected) in zip(states[0], states[1]) {
      #expect(state.values.elements == expected.values.elements)
    }
    // Each rank has the parts that its next update needs.
    try whole.trainOnce()
    try divided.trainOnce()
    #expect(
      relativeDifference(
        divided.network.store.weights.all.elements, whole.network.store.weights.all.elements)
        < (communicator.size == 2 ? 1e-12 : 1e-5))
  }

  /// Whatever rank 0 can use of it, all ranks come to its end together.
  @Test func aFailureToWriteHoldsUpNobody() throws {
    let job = try job()
    try job.trainOnce()
    let before = try job.optimizerState()
    if let directory { try directory.write("in the way", to: "checkpoints") }
    for copies in [false, true] {
      let gathering = try job.trainer.replica.gatherOptimizerState(isWanted: true)
      if let directory {
        let writer = CheckpointWriter(CheckpointStore(run: directory.path), .init()) { _ in }
        try writer.write(
          Snapshot(
            job.network, job.trainer.replica.optimizer, gathering: gathering, copies: copies),
          .example(iteration: 1), isBest: false)
        writer.confirm()
        #expect(throws: CheckpointError.self) { try writer.finish() }
      }
      try gathering?.finish()
      try job.trainer.replica.checkWeights("weights")
    }
    // A disk that fills up ends the use of it midway.
    let gathering = try job.trainer.replica.gatherOptimizerState(isWanted: true)
    if communicator.isRoot {
      for parameter in job.network.store.parametersInForwardOrder.prefix(3) {
        _ = try gathering?.next(parameter)
      }
    }
    try gathering?.finish()
    #expect(try job.optimizerState() == before)
    try job.trainOnce()
    try job.trainer.replica.checkWeights("weights")
  }

  /// The choice of rank 0 counts on all ranks.
  @Test func nothingIsGatheredThatRankZeroDoesNotWant() throws {
    let job = try job()
    let isRoot = communicator.isRoot
    #expect(try job.trainer.replica.gatherOptimizerState(isWanted: !isRoot) == nil)
    let gathering = try job.trainer.replica.gatherOptimizerState(isWanted: isRoot)
    #expect((gathering == nil) == (communicator.size == 1))
    try gathering?.finish()
  }
}
