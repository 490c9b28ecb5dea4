import Configuration
import Distributed
import SpikingNetworks
import Support

/// The checkpoints of a run: when they are made, and that all ranks do their part in it.
///
/// A checkpoint counts when an all-reduce has found that all ranks hold the same weights; rank 0 alone
/// writes.
final class RunCheckpoints {
  private let setup: TrainingSetup
  private let recorder: RunRecorder?
  private let schedule: CheckpointSchedule
  /// The iteration of the latest checkpoint that did not have to wait: the same on all ranks.
  private(set) var savedIteration: Int?
  /// Whether the ranks compare their weights in the next iteration.
  private(set) var comparesWeights = false

  /// - Parameters:
  ///   - recorder: on rank 0.
  ///   - savedIteration: of the checkpoint that the run goes on from.
  init(_ setup: TrainingSetup, _ recorder: RunRecorder?, savedIteration: Int?) {
    (self.setup, self.recorder, self.savedIteration) = (setup, recorder, savedIteration)
    schedule = CheckpointSchedule(setup.configuration.checkpoint)
  }

  private var communicator: any Communicator { setup.communicator }
  private var activity: ActivityRecord { communicator.activity }
  private var replica: Replica { setup.trainer.replica }

  /// Whether this rank wants one, because of the clock.
  var isWanted: Bool { recorder?.isCheckpointDue ?? false }

  /// Takes note of an iteration's all-reduce, which may have compared the weights.
  ///
  /// - Throws: `CheckpointError` where a failed checkpoint ends the run.
  func afterReduction() throws {
    if comparesWeights { recorder?.confirm() }
    try recorder?.check()
  }

  /// Makes a checkpoint after an iteration if one is due.
  ///
  /// - Parameters:
  ///   - outcome: of the iteration.
  ///   - isEnd: whether it is the last one of its epoch, or of the run.
  func afterIteration(
    _ position: RunPosition, _ outcome: IterationOutcome, isEnd: Bool
  ) throws {
    let iteration = position.iteration
    let isDue =
      schedule.isDue(iteration: iteration) || outcome.wantsCheckpoint
      || isEnd
        && (schedule.isDue(epoch: iteration / setup.iterationsPerEpoch)
          || iteration >= setup.iterations)
    if isDue || outcome.wantsStop { try save(position, canWait: !isEnd && !outcome.wantsStop) }
    comparesWeights =
      isDue || iteration % setup.configuration.training.checkReplicasEvery == 0
    // No iteration follows soon whose all-reduce could compare them.
    if isEnd && isDue && !outcome.wantsStop { try confirm(position) }
  }

  /// Enters how an epoch ended into the checkpoint of its weights, which is made if it is the best one.
  func afterEpoch(_ position: RunPosition, isBest: Bool) throws {
    if savedIteration == position.iteration {
      recorder?.complete(position, isBest: isBest)
    } else if isBest {
      try save(position, isBest: true)
      comparesWeights = true
    }
  }

  /// Makes a checkpoint of the present weights if there is none.
  func saveIfNeeded(_ position: RunPosition) throws {
    if savedIteration != position.iteration { try save(position) }
  }

  private func save(
    _ position: RunPosition, isBest: Bool = false, canWait: Bool = false
  ) throws {
    activity.enter(.writingCheckpoint, iteration: position.iteration)
    let isReady = recorder?.isReady(canWait: canWait) ?? false
    // All ranks have to give their part of it, whatever becomes of it.
    let gathering = try replica.gatherOptimizerState(isWanted: isReady)
    if isReady || gathering != nil {
      // Where nothing is copied, training waits and needs no memory.
      let waits = setup.configuration.training.memory == .lean
      if waits { replica.network.arena.releaseUnused() }
      try replica.withPublishedWeights {
        if isReady { try record(position, gathering, isBest: isBest) }
        try gathering?.finish()
      }
      if waits { releaseFreedMemory() }
    }
    if !canWait { savedIteration = position.iteration }
  }

  private func record(
    _ position: RunPosition, _ gathering: OptimizerGathering?, isBest: Bool
  ) throws {
    try recorder?.save(
      Snapshot(
        replica.network, replica.optimizer, gathering: gathering,
        copies: setup.configuration.training.memory == .fast),
      RunState(
        position: position, updates: replica.optimizer.updates,
        configuration: setup.configuration, classes: setup.data.classes,
        trainingSamples: setup.data.training.count, trainingList: setup.trainingList,
        teacher: setup.teacherChecksum, worldSize: communicator.size,
        reduction: replica.exchange.reduction),
      isBest: isBest)
  }

  /// Lets the checkpoint of the present weights be put in place.
  private func confirm(_ position: RunPosition) throws {
    try replica.checkWeights("weights after iteration \(position.iteration)")
    recorder?.confirm()
    comparesWeights = false
  }

  /// Puts the checkpoint of the present weights in place. A collective.
  ///
  /// - Parameter isEnd: whether these are the weights that the run was made for.
  func complete(_ position: RunPosition, isEnd: Bool) throws {
    try confirm(position)
    try finishWriting(position, isEnd: isEnd)
  }

  /// Waits until the checkpoints that are good are on disk. A collective.
  func finishWriting(_ position: RunPosition, isEnd: Bool = false) throws {
    activity.enter(.writingCheckpoint, iteration: position.iteration)
    try recorder?.finish(isEnd: isEnd)
    activity.enter(.waitingForRanks, iteration: position.iteration)
    try communicator.barrier()
  }

  /// Puts all replicas back to the latest checkpoint. A collective.
  ///
  /// - Parameter problem: why.
  /// - Throws: `TrainingError`, on all ranks alike, where there is none.
  func goBack(_ position: RunPosition, because problem: String) throws {
    activity.enter(.readingCheckpoint, iteration: position.iteration)
    try recorder?.finish()
    var checkpoint: Checkpoint?
    var obstacle = ""
    do {
      checkpoint = try setup.output?.checkpoints.newestIntact(progress: activity.touch) { warn($0) }
      if checkpoint == nil { obstacle = "none is written" }
    } catch {
      obstacle = "\(error)"
    }
    obstacle = try communicator.broadcast(obstacle, root: 0)
    guard obstacle.isEmpty else {
      throw TrainingError(
        description: "\(problem), and there is no checkpoint to go back to: \(obstacle)")
    }
    if let checkpoint {
      let iterations = Format.counted(checkpoint.state.position.iteration, "iteration")
      warn("\(problem); going back to the weights after \(iterations), and on with the next batch")
    }
    try replica.restore(checkpoint)
  }
}
