import Configuration
import Datasets
import Distributed
import Foundation
import SpikingNetworks
import Support
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
  let trainingLoader: DataLoader
  private let validationLoader: DataLoader
  let output: OutputDirectory?
  private let trainingList: SampleListHash
  var position = RunPosition()
  private let start = ContinuousClock.now
  /// What the run took before it was resumed.
  private var secondsBefore = 0.0
  /// Samples of an epoch's training and of a validation that others took the place of.
  var badSamples = (training: 0, validation: 0)

  private let schedule: CheckpointSchedule
  private var recorder: RunRecorder?
  private var progress: ProgressReporter?
  /// Whether the ranks compare their weights in the next iteration.
  private var comparesWeights = false
  private var nonFiniteInARow = 0
  /// The checkpoint that the run goes on from, on rank 0.
  private let resumed: Checkpoint?
  /// The iteration of the latest checkpoint that did not have to wait: the same on all ranks.
  private var savedIteration: Int?
  /// What computed the convolutions in the latest epoch, as it was reported.
  private var reportedKernels: String?

  /// So many updates that are not finite, one after another, do not come right by themselves.
  private static let toleratedNonFinite = 10

  /// - Parameters:
  ///   - output: where to write, on rank 0.
  ///   - resuming: where the run is to go on, if it is, on rank 0.
  ///   - initial: the weights to begin with where it does not go on.
  ///   - threads: of this rank.
  /// - Throws: what makes the run impossible: `ConfigurationError`, `DatasetError`, `NetworkError`,
  ///   `CheckpointError`, `ReplicaMismatch`.
  public init(
    _ configuration: Configuration, backend: ConvolutionBackend, threads: Int,
    output: OutputDirectory?, resuming: Checkpoint? = nil, initial: InitialWeights? = nil,
    _ communicator: any Communicator
  ) throws {
    try configuration.validate(ranks: communicator.size)
    self.configuration = configuration
    self.communicator = communicator
    self.output = output
    resumed = resuming
    schedule = CheckpointSchedule(configuration.checkpoint)
    ThreadPool.setThreads(threads)
    let newOutput = resuming == nil ? output : nil
    if let path = configuration.data.path { try newOutput?.requireApart(from: path) }
    data = try TrainingData(configuration, communicator)
    trainingList = SampleListHash(of: data.training)
    try newOutput?.requireApart(fromClassesOf: data)
    communicator.activity.enter(.starting)
    let network = try configuration.networkSpecification(classes: data.classes.count)
    try configuration.requireMemory(
      for: network, backend, samples: data.training.count, communicator)
    let before = residentBytes()
    trainer = try DataParallelTrainer(
      configuration, network: network, backend: backend, communicator)
    trainingLoader = try configuration.loader(
      data.training, isTraining: true, communicator, threads: threads)
    validationLoader = try configuration.loader(
      data.validation, isTraining: false, communicator, threads: threads)
    let source =
      resuming == nil && communicator.isRoot
      ? try initial?.load(into: trainer.network, data.classes, configuration) : nil
    if communicator.isRoot {
      try output?.claim()
      print(summary(backend, threads: threads, residentBefore: before))
      if let source { print(source + "\n") }
    }
    if try !resume(), initial != nil { try trainer.shareWeights() }
  }

  /// Goes on from the checkpoint that rank 0 has, if it has one.
  private func resume() throws -> Bool {
    let text = try communicator.broadcast(
      resumed.map { String(decoding: $0.state.json, as: UTF8.self) } ?? "", root: 0)
    guard !text.isEmpty else { return false }
    let state = try RunState(json: Foundation.Data(text.utf8), path: "the state on rank 0")
    try requireSameCourse(state)
    activity.enter(.readingCheckpoint)
    try trainer.restore(resumed, iteration: state.position.iteration)
    position = state.position
    secondsBefore = position.seconds ?? 0
    savedIteration = position.iteration
    if communicator.isRoot { print(resumeNote(state)) }
    return true
  }

  /// Checks that the run goes on with the network and the batches with which it began.
  private func requireSameCourse(_ state: RunState) throws {
    let anew = "or start a new run from its weights with --init-from"
    let trained = TrainedOn(
      path: output?.path ?? "the run", classes: state.classes, configuration: state.configuration)
    try trained.requireClasses(
      data.classes, remedy: ": go on with the same data, \(anew)")
    if let difference = try trained.differences(from: configuration, includingCourse: true).first {
      throw configuration.error(
        difference.key,
        "is \(difference.now), but the run began with \(difference.before): leave it at that, \(anew)"
      )
    }
    guard state.trainingSamples == data.training.count else {
      throw configuration.error(
        "data.path",
        "has \(data.training.count) training samples, but the run began with"
          + " \(state.trainingSamples): go on with the same data, \(anew)")
    }
    guard state.trainingList.map(trainingList.mayEqual) ?? true else {
      throw configuration.error(
        "data.path",
        "has as many training samples as the run began with, but under other names or labels:"
          + " go on with the same data, \(anew)")
    }
  }

  /// What the run has taken so far, without the time between its parts.
  var seconds: Double { secondsBefore + since(start) }

  private var activity: ActivityRecord { communicator.activity }

  var iterationsPerEpoch: Int { trainingLoader.sampler.iterations }

  var iterations: Int {
    let all = configuration.training.epochs * iterationsPerEpoch
    return min(all, configuration.training.maxIterations ?? all)
  }

  /// The epoch, from 0, that is to be trained or only to be validated.
  private var epoch: Int {
    (position.isValidated ? position.iteration : max(position.iteration - 1, 0))
      / iterationsPerEpoch
  }

  /// Trains to the end, or until a signal asks it to stop.
  ///
  /// - Parameter wantsStop: whether this rank has got such a signal.
  public func run(
    stoppingWhen wantsStop: @escaping () -> Bool = { StopSignal.name != nil }
  ) throws -> Ending {
    if communicator.isRoot {
      progress = ProgressReporter(logEvery: configuration.training.logEvery)
    }
    recorder = try output.map {
      try RunRecorder(
        $0, configuration, from: position, of: resumed, progress: communicator.activity.touch
      ) { warn($0) }
    }
    do {
      while position.iteration < iterations || !position.isValidated {
        let epoch = epoch
        guard try train(epoch, stoppingWhen: wantsStop) else { return try endStopped() }
        guard try validate(epoch, stoppingWhen: wantsStop) else { return try endStopped() }
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
      let isEnd = position.iteration == end
      let isDue =
        schedule.isDue(iteration: position.iteration) || outcome.wantsCheckpoint
        || isEnd && (schedule.isDue(epoch: epochsDone) || position.iteration >= iterations)
      if isDue || outcome.wantsStop { try save(canWait: !isEnd && !outcome.wantsStop) }
      comparesWeights =
        isDue || position.iteration % configuration.training.checkReplicasEvery == 0
      if outcome.wantsStop { return false }
      // No iteration follows soon whose all-reduce could compare them.
      if isEnd && isDue { try confirmCheckpoint() }
    }
    return true
  }

  /// Measures the weights after an epoch; false if a rank was asked to stop. What was found comes into
  /// their checkpoint if there is one already, so that a run that is stopped or killed meanwhile has only
  /// to measure them again.
  private func validate(
    _ epoch: Int, stoppingWhen wantsStop: @escaping () -> Bool
  ) throws -> Bool {
    var record = record(
      .epoch, position.epochMetrics, epoch: epoch,
      rate: configuration.learningRateSchedule.rate(epoch: epoch), seconds: position.epochSeconds)
    guard let validation = try trainer.evaluate(validationLoader, stoppingWhen: wantsStop) else {
      if savedIteration != position.iteration { try save() }
      return false
    }
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
    position.epoch = epochsDone
    if position.iteration % iterationsPerEpoch == 0 {
      (position.epochMetrics, position.epochSeconds) = (IterationMetrics(), 0)
    }
    record.validationLoss = validation.loss
    record.validationAccuracy = validation.accuracy
    record.validationTop5 = validation.top5
    try recorder?.append(record)
    progress?.message(epochLine(record, isBest: isBest))
    reportKernels(record.kernels.summary)
    if savedIteration == position.iteration {
      recorder?.complete(position, isBest: isBest)
    } else if isBest {
      try save(isBest: true)
      comparesWeights = true
    }
    return true
  }

  /// Epochs that have been trained to their end.
  private var epochsDone: Int { position.iteration / iterationsPerEpoch }

  /// Says what computes the convolutions, if that is no longer what it was.
  private func reportKernels(_ summary: String) {
    guard summary != reportedKernels else { return }
    reportedKernels = summary
    progress?.message("kernels: \(summary)")
  }

  private func save(isBest: Bool = false, canWait: Bool = false) throws {
    activity.enter(.writingCheckpoint, iteration: position.iteration)
    position.seconds = seconds
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
          trainingList: trainingList,
          worldSize: communicator.size, reduction: trainer.reduction),
        isBest: isBest)
    }
    try gathering?.finish()
    if !canWait { savedIteration = position.iteration }
  }

  /// Lets the checkpoint of the present weights be put in place.
  private func confirmCheckpoint() throws {
    try trainer.checkReplicas("weights after iteration \(position.iteration)")
    recorder?.confirm()
    comparesWeights = false
  }

  /// Puts the checkpoint of the present weights in place.
  private func completeCheckpoint() throws {
    try confirmCheckpoint()
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
    var checkpoint: Checkpoint?
    var obstacle = ""
    do {
      checkpoint = try output?.checkpoints.newestIntact(progress: activity.touch) { warn($0) }
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
    try trainer.restore(checkpoint, iteration: position.iteration)
  }
}

/// A line on the standard error, whatever the progress shows.
func warn(_ message: String) {
  try? FileHandle.standardError.write(contentsOf: Foundation.Data("warning: \(message)\n".utf8))
}
