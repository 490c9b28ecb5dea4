import Datasets
import Distributed
import Foundation
import SpikingNetworks
import Tensors

/// A whole run: epochs of training, each followed by validation, metrics and checkpoints.
///
/// Every rank issues the same collectives in the same order. Only rank 0 prints, and reads and writes
/// files of the run.
public final class TrainingRun {
  /// How a run ended.
  public enum Ending: Equatable, Sendable {
    case complete
    /// A signal asked it to stop; it can go on from its latest checkpoint.
    case stopped
  }

  let configuration: Configuration
  let data: TrainingData
  let communicator: any Communicator
  let trainer: DataParallelTrainer
  private let activity: ActivityRecord
  let trainingLoader: DataLoader
  private let validationLoader: DataLoader
  let output: OutputDirectory?
  var position = RunPosition()
  let start = ContinuousClock.now
  /// Samples of an epoch's training and of a validation that others took the place of.
  var badSamples = (training: 0, validation: 0)

  private let schedule: CheckpointSchedule
  private var recorder: RunRecorder?
  private var progress: ProgressReporter?
  /// Whether the ranks compare their weights in the next iteration.
  private var comparesWeights = false
  private var nonFiniteInARow = 0
  /// What computed the convolutions in the latest epoch, as it was reported.
  private var reportedKernels: String?

  /// So many updates that are not finite, one after another, do not come right by themselves.
  private static let toleratedNonFinite = 10

  /// - Parameters:
  ///   - output: where to write, on rank 0.
  ///   - resuming: where the run is to go on, if it is, on rank 0.
  ///   - initial: the weights to begin with where it does not go on.
  ///   - threads: of this rank.
  ///   - activity: where the run notes what it does, for a watchdog.
  /// - Throws: what makes the run impossible: `ConfigurationError`, `DatasetError`, `NetworkError`,
  ///   `CheckpointError`, `ReplicaMismatch`.
  public init(
    _ configuration: Configuration, backend: ConvolutionBackend, threads: Int,
    output: OutputDirectory?, resuming: Checkpoint? = nil, initial: InitialWeights? = nil,
    _ communicator: any Communicator, activity: ActivityRecord = ActivityRecord()
  ) throws {
    self.activity = activity
    try configuration.validate(ranks: communicator.size)
    self.configuration = configuration
    self.communicator = communicator
    self.output = output
    schedule = CheckpointSchedule(configuration.checkpoint)
    ThreadPool.setThreads(threads)
    data = try TrainingData(configuration, communicator, activity: activity)
    activity.enter(.starting)
    let before = residentBytes()
    trainer = try DataParallelTrainer(
      configuration,
      network: configuration.networkSpecification(classes: data.classes.count),
      backend: backend, communicator, activity: activity)
    trainingLoader = try configuration.loader(
      data.training, isTraining: true, communicator, threads: threads)
    validationLoader = try configuration.loader(
      data.validation, isTraining: false, communicator, threads: threads)
    if communicator.isRoot { print(summary(backend, threads: threads, residentBefore: before)) }
    if try !resume(from: resuming), let initial {
      if communicator.isRoot { print(try initial.load(into: trainer.network, data.classes) + "\n") }
      try trainer.shareWeights()
    }
  }

  /// Goes on from the checkpoint that rank 0 has, if it has one.
  private func resume(from checkpoint: Checkpoint?) throws -> Bool {
    let text = try communicator.broadcast(
      checkpoint.map { String(decoding: $0.state.json, as: UTF8.self) } ?? "", root: 0)
    guard !text.isEmpty else { return false }
    let state = try RunState(json: Foundation.Data(text.utf8), path: "the state on rank 0")
    try requireSameCourse(state)
    activity.enter(.readingCheckpoint)
    try trainer.restore(checkpoint, iteration: state.position.iteration)
    position = state.position
    if communicator.isRoot { print(resumeNote(state)) }
    return true
  }

  /// Checks that the position means the same batches as it did.
  private func requireSameCourse(_ state: RunState) throws {
    guard state.globalBatch == configuration.training.globalBatch else {
      throw configuration.error(
        "training.global_batch",
        "= \(configuration.training.globalBatch), but the run counts iterations of"
          + " \(state.globalBatch) samples: leave it at that")
    }
    guard state.trainingSamples == data.training.count else {
      throw configuration.error(
        "data.path",
        "has \(data.training.count) training samples, but the run began with"
          + " \(state.trainingSamples): go on with the same data, or start a new run from its weights"
          + " with --init-from")
    }
  }

  var iterationsPerEpoch: Int { trainingLoader.sampler.iterations }

  var iterations: Int {
    let all = configuration.training.epochs * iterationsPerEpoch
    return min(all, configuration.training.maxIterations ?? all)
  }

  /// The epoch, from 0, that is to be trained or only to be validated.
  private var epoch: Int {
    let isValidated = position.validatedIteration == position.iteration
    return (isValidated ? position.iteration : max(position.iteration - 1, 0)) / iterationsPerEpoch
  }

  /// Trains to the end, or until a signal asks it to stop.
  ///
  /// - Parameter wantsStop: whether this rank has got such a signal.
  public func run(
    stoppingWhen wantsStop: () -> Bool = { StopSignal.name != nil }
  ) throws -> Ending {
    if communicator.isRoot {
      progress = ProgressReporter(logEvery: configuration.training.logEvery)
    }
    recorder = try output.map {
      try RunRecorder($0, configuration, from: position.iteration) { warn($0) }
    }
    do {
      while position.iteration < iterations || position.validatedIteration != position.iteration {
        let epoch = epoch
        guard try train(epoch, stoppingWhen: wantsStop) else { return try endStopped() }
        try validate(epoch)
      }
      progress?.finish()
      try completeCheckpoint()
    } catch  where error is ReplicaMismatch || error is TrainingError {
      // All ranks have thrown it.
      try leaveInOrder(with: error)
    }
    let reading = try data.readingSummary(communicator)
    let peaks = try communicator.allGather(UInt64(peakResidentBytes())).map { Int($0) }
    if communicator.isRoot { print(closing(reading: reading, peaks: peaks)) }
    return .complete
  }

  /// Trains what is left of an epoch; false if a rank was asked to stop.
  private func train(_ epoch: Int, stoppingWhen wantsStop: () -> Bool) throws -> Bool {
    let end = min(iterations, (epoch + 1) * iterationsPerEpoch)
    guard position.iteration < end else { return true }
    let rate = configuration.learningRateSchedule.rate(epoch: epoch)
    let secondsBefore = position.epochSeconds
    let epochStart = ContinuousClock.now
    var interval = IterationMetrics()
    var intervalStart = epochStart

    trainingLoader.begin(epoch: epoch, iteration: position.iteration % iterationsPerEpoch)
    progress?.resume()
    while position.iteration < end {
      let waitStart = ContinuousClock.now
      activity.enter(.waitingForData, iteration: position.iteration + 1)
      guard let batch = try trainingLoader.next() else {
        preconditionFailure("an epoch has \(iterationsPerEpoch) batches")
      }
      let outcome = try trainer.train(
        batch, learningRate: rate, dataWait: (ContinuousClock.now - waitStart) / .seconds(1),
        wantsStop: wantsStop(), wantsCheckpoint: recorder?.isCheckpointDue ?? false,
        comparesWeights: comparesWeights)
      if comparesWeights { recorder?.confirm() }
      try recorder?.check()
      position.iteration = trainer.iteration
      position.samples += batch.globalCount
      position.epochSeconds = secondsBefore + since(epochStart)
      if let problem = outcome.nonFinite {
        try handle(nonFinite: problem)
      } else {
        nonFiniteInARow = 0
        interval.add(outcome.metrics)
        position.epochMetrics.add(outcome.metrics)
        progress?.update(
          status(outcome.metrics, epoch: epoch, iteration: batch.iteration + 1))
      }
      if (batch.iteration + 1) % configuration.training.logEvery == 0 {
        try recorder?.append(
          record(.interval, interval, epoch: epoch, rate: rate, seconds: since(intervalStart)))
        interval = IterationMetrics()
        intervalStart = ContinuousClock.now
      }
      // At the end of an epoch one is due after the validation, if it is.
      let isDue =
        position.iteration < end
        && (schedule.isDue(iteration: position.iteration) || outcome.wantsCheckpoint)
      if isDue || outcome.wantsStop { try save(canWait: !outcome.wantsStop) }
      comparesWeights =
        isDue || position.iteration % configuration.training.checkReplicasEvery == 0
      if outcome.wantsStop { return false }
    }
    return true
  }

  private func validate(_ epoch: Int) throws {
    var record = record(
      .epoch, position.epochMetrics, epoch: epoch,
      rate: configuration.learningRateSchedule.rate(epoch: epoch), seconds: position.epochSeconds)
    let validation = try trainer.evaluate(validationLoader)
    badSamples.training = max(badSamples.training, Int(position.epochMetrics.replaced))
    badSamples.validation = max(badSamples.validation, Int(validation.replaced))
    let densities = position.epochMetrics.inputDensities(of: trainer.network)
    record.kernels = trainer.network.kernels(
      at: densities, samples: configuration.samplesAtOnce(ranks: communicator.size))
    position.inputDensities = densities
    let isBest = validation.accuracy > position.bestAccuracy ?? -1
    if isBest { position.bestAccuracy = validation.accuracy }
    position.validationAccuracy = validation.accuracy
    position.validatedIteration = position.iteration
    position.epoch = position.iteration / iterationsPerEpoch
    if position.iteration % iterationsPerEpoch == 0 {
      (position.epochMetrics, position.epochSeconds) = (IterationMetrics(), 0)
    }
    record.validationLoss = validation.loss
    record.validationAccuracy = validation.accuracy
    record.validationTop5 = validation.top5
    try recorder?.append(record)
    progress?.message(epochLine(record, isBest: isBest))
    reportKernels(record.kernels.summary)
    if isBest || schedule.isDue(epoch: position.epoch)
      || schedule.isDue(iteration: position.iteration) || position.iteration >= iterations
    {
      try save(isBest: isBest)
      comparesWeights = true
    }
  }

  /// Says what computes the convolutions, if that is no longer what it was.
  private func reportKernels(_ summary: String) {
    guard summary != reportedKernels else { return }
    reportedKernels = summary
    progress?.message("kernels: \(summary)")
  }

  private func save(isBest: Bool = false, canWait: Bool = false) throws {
    activity.enter(.writingCheckpoint, iteration: position.iteration)
    let isReady = recorder?.isReady(canWait: canWait) ?? false
    // All ranks have to give their part of it, whatever becomes of it.
    let gathering = try trainer.gatherOptimizerState(isWanted: isReady)
    if isReady {
      try recorder?.save(
        Snapshot(
          trainer.network, trainer.optimizer, gathering: gathering,
          copies: configuration.training.memory == .fast),
        RunState(
          position: position, updates: trainer.optimizer.updates, configuration: configuration,
          classes: data.classes, trainingSamples: data.training.count,
          worldSize: communicator.size, reduction: trainer.reduction),
        isBest: isBest)
    }
    try gathering?.finish()
  }

  /// Puts the checkpoint of the present weights in place.
  private func completeCheckpoint() throws {
    try trainer.checkReplicas("weights after iteration \(position.iteration)")
    recorder?.confirm()
    try finishWriting()
  }

  /// Waits until the checkpoints that are good are on disk. A collective.
  private func finishWriting() throws {
    activity.enter(.writingCheckpoint, iteration: position.iteration)
    try recorder?.finish()
    activity.enter(.waitingForRanks, iteration: position.iteration)
    try communicator.barrier()
  }

  private func endStopped() throws -> Ending {
    try completeCheckpoint()
    progress?.finish()
    if communicator.isRoot, let output {
      print(
        "\(StopSignal.name ?? "a signal on another rank") asked the run to stop: it has a checkpoint"
          + " after \(Format.counted(position.iteration, "iteration")); go on with --resume"
          + " \(output.path)")
    }
    return .stopped
  }

  /// Lets the checkpoints that are good reach the disk before the error ends the job.
  private func leaveInOrder(with error: any Error) throws -> Never {
    progress?.finish()
    try finishWriting()
    throw error
  }

  private func handle(nonFinite problem: String) throws {
    nonFiniteInARow += 1
    let action = configuration.training.onNonFinite
    guard action != .stop else {
      throw TrainingError(
        description: "\(problem); lower optimizer.learning_rate, check the data, or set"
          + " training.on_nonfinite to skip or rollback")
    }
    guard nonFiniteInARow < Self.toleratedNonFinite else {
      throw TrainingError(
        description: "\(problem), the \(nonFiniteInARow)th time in a row: lower"
          + " optimizer.learning_rate, or check the data")
    }
    guard action == .rollback else {
      if communicator.isRoot { warn("\(problem); its update is skipped") }
      return
    }
    activity.enter(.readingCheckpoint, iteration: position.iteration)
    try recorder?.finish()
    let checkpoint = try? output?.checkpoints.newestIntact { warn($0) }
    guard try communicator.allGather(checkpoint == nil ? 0 : 1)[0] == 1 else {
      throw TrainingError(description: "\(problem), and there is no checkpoint to go back to")
    }
    if let checkpoint {
      let iterations = Format.counted(checkpoint.state.position.iteration, "iteration")
      warn("\(problem); going back to the weights after \(iterations), and on with the next batch")
    }
    try trainer.restore(checkpoint, iteration: position.iteration)
  }
}

/// A line on the standard error, whatever the progress shows.
func warn(_ message: String) {
  try? FileHandle.standardError.write(contentsOf: Foundation.Data("warning: \(message)\n".utf8))
}
