import Configuration
import Datasets
import Distributed
import Foundation
import SpikingNetworks
import Support

/// A whole run: epochs of training, followed by validation, metrics and checkpoints.
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

  private let setup: TrainingSetup
  /// The same in every epoch.
  private lazy var expectedMemory = setup.expectedMemory
  private let schedule: LearningRateSchedule
  private let checkpoints: RunCheckpoints
  private var nonFinite: NonFinitePolicy
  /// On rank 0, as the next.
  private let recorder: RunRecorder?
  private let report: RunReport?
  private var position: RunPosition
  /// Of the latest iteration, where it was measured.
  private var gradientNorm: Double?
  private let start = ContinuousClock.now
  /// What the run took before it was resumed.
  private let secondsBefore: Double

  /// Begins a run, or puts all ranks where it stood.
  ///
  /// - Throws: `ConfigurationError`, `CheckpointError` where it cannot go on so; `OutputError`.
  public init(_ setup: TrainingSetup) throws {
    self.setup = setup
    schedule = setup.configuration.learningRateSchedule
    nonFinite = NonFinitePolicy(setup.configuration.training.onNonFinite)
    report = setup.communicator.isRoot ? RunReport(setup) : nil
    report?.begin()
    let state = try Self.resume(setup)
    position = state?.position ?? RunPosition()
    if let state { report?.resume(from: state) }
    secondsBefore = position.seconds ?? 0
    recorder = try setup.output.map { [position] in
      try RunRecorder(
        $0, setup.configuration, from: position, of: setup.resumed,
        progress: setup.communicator.activity.touch
      ) { warn($0) }
    }
    checkpoints = RunCheckpoints(setup, recorder, savedIteration: state?.position.iteration)
    // What reading weights took for a while.
    releaseFreedMemory()
  }

  /// Goes on from the checkpoint that rank 0 has; returns its state, or nil if there is none.
  private static func resume(_ setup: TrainingSetup) throws -> RunState? {
    let text = try setup.communicator.broadcast(
      setup.resumed.map { String(decoding: $0.state.json, as: UTF8.self) } ?? "", root: 0)
    guard !text.isEmpty else { return nil }
    let state = try RunState(json: Foundation.Data(text.utf8), path: "the state on rank 0")
    try setup.requireSameCourse(as: state)
    setup.communicator.activity.enter(.readingCheckpoint)
    try setup.trainer.replica.restore(setup.resumed)
    setup.trainer.iteration = state.position.iteration
    return state
  }

  private var communicator: any Communicator { setup.communicator }
  private var iterationsPerEpoch: Int { setup.iterationsPerEpoch }

  /// What the run has taken so far, without the time between its parts.
  private var seconds: Double { secondsBefore + since(start) }

  /// Trains to the end, or until a signal asks it to stop.
  ///
  /// - Parameter wantsStop: whether this rank has got such a signal.
  public func run(
    stoppingWhen wantsStop: @escaping () -> Bool = { StopSignal.name != nil }
  ) throws -> Ending {
    do {
      // The one of the latest iteration, where that is not closed.
      var epoch =
        (position.isValidated ? position.iteration : max(position.iteration - 1, 0))
        / iterationsPerEpoch
      while position.iteration < setup.iterations || !position.isValidated {
        guard try train(epoch, stoppingWhen: wantsStop),
          try close(epoch, stoppingWhen: wantsStop)
        else {
          try checkpoints.complete(position, isEnd: false)
          report?.stop(at: position)
          return .stopped
        }
        epoch = position.iteration / iterationsPerEpoch
      }
      report?.hideProgress()
      try checkpoints.complete(position, isEnd: true)
    } catch  where error is ReplicaMismatch || error is TrainingError {
      // All ranks have thrown it: the checkpoints that are good reach the disk before it ends the job.
      report?.hideProgress()
      try checkpoints.finishWriting(position)
      throw error
    } catch {
      // This rank alone ends the job; what is confirmed reaches the disk before.
      try? recorder?.finish()
      throw error
    }
    let reading = try setup.data.readingSummary(communicator)
    let peaks = try communicator.allGather(UInt64(peakResidentBytes())).map { Int($0) }
    report?.end(at: position, seconds: seconds, reading: reading, peaks: peaks)
    return .complete
  }

  /// Trains what is left of an epoch; false if a rank was asked to stop.
  private func train(_ epoch: Int, stoppingWhen wantsStop: () -> Bool) throws -> Bool {
    let end = min(setup.iterations, (epoch + 1) * iterationsPerEpoch)
    guard position.iteration < end else { return true }
    if position.iteration % iterationsPerEpoch == 0 { position.beginEpoch() }
    let rate = schedule.rate(epoch: epoch)
    var last = ContinuousClock.now

    setup.profile.reset()
    setup.trainingLoader.begin(epoch: epoch, iteration: position.iteration % iterationsPerEpoch)
    report?.showProgress()
    while position.iteration < end {
      let (batch, wait) = try nextBatch()
      let isLogged = (batch.iteration + 1) % setup.configuration.training.logEvery == 0
      let outcome = try setup.trainer.train(
        batch, learningRate: rate, dataWait: wait, wantsStop: wantsStop(),
        wantsCheckpoint: checkpoints.isWanted, comparesWeights: checkpoints.comparesWeights,
        measuresNorm: isLogged || position.iteration + 1 == end)
      gradientNorm = outcome.gradientNorm
      try checkpoints.afterReduction()
      position.iteration = setup.trainer.iteration
      position.samples += batch.globalCount
      let now = ContinuousClock.now
      position.add(seconds: (now - last) / .seconds(1))
      last = now
      if let problem = outcome.nonFinite {
        try handle(nonFinite: problem)
      } else {
        nonFinite.succeed()
        position.add(outcome.metrics)
        report?.update(outcome.metrics, at: position, epoch: epoch, batch.iteration + 1)
      }
      if isLogged {
        try recorder?.append(
          record(
            .interval, position.intervalMetrics ?? IterationMetrics(), epoch: epoch, rate: rate,
            seconds: position.intervalSeconds ?? 0))
        position.beginInterval()
      }
      position.seconds = seconds
      try checkpoints.afterIteration(position, outcome, isEnd: position.iteration == end)
      if outcome.wantsStop { return false }
    }
    return true
  }

  /// The next batch of the epoch, and the seconds that this rank waited for it.
  private func nextBatch() throws -> (Batch, wait: Double) {
    let start = ContinuousClock.now
    communicator.activity.enter(.waitingForData, iteration: position.iteration + 1)
    guard let batch = try setup.trainingLoader.next() else {
      preconditionFailure("an epoch has \(iterationsPerEpoch) batches")
    }
    return (batch, since(start))
  }

  private func handle(nonFinite problem: String) throws {
    switch try nonFinite.remedy(for: problem) {
    case .skip: if communicator.isRoot { warn("\(problem); its update is skipped") }
    case .rollback: try checkpoints.goBack(position, because: problem)
    }
  }

  /// Ends an epoch, with a validation if one is due; false if a rank was asked to stop. What was found
  /// comes into the checkpoint of the weights if there is one already, so that a run that is stopped or
  /// killed meanwhile has only to do this again.
  private func close(
    _ epoch: Int, stoppingWhen wantsStop: @escaping () -> Bool
  ) throws -> Bool {
    var record = record(
      .epoch, position.epochMetrics, epoch: epoch, rate: schedule.rate(epoch: epoch),
      seconds: position.epochSeconds)
    record.phaseSeconds = setup.profile.phases.mapValues(\.seconds)
    record.expectedMemory = expectedMemory
    record.resources = setup.resources
    record.iterationsPerEpoch = iterationsPerEpoch
    var validation: IterationMetrics?
    if isValidationDue(after: epoch) {
      validation = try setup.trainer.evaluator.evaluate(
        setup.validationLoader, iteration: position.iteration, stoppingWhen: wantsStop
      ) { [report] in report?.update(validationBatch: $0, epoch: epoch) }
      position.seconds = seconds
      guard validation != nil else {
        try checkpoints.saveIfNeeded(position)
        return false
      }
    }
    let network = setup.trainer.network
    let densities = position.epochMetrics.inputDensities(of: network)
    record.kernels = network.kernels(
      at: densities, samples: setup.configuration.samplesAtOnce(ranks: communicator.size))
    record.inputRates = position.epochMetrics.inputRates(of: network.plan)
    // Of the validation, too.
    (record.seconds, record.peakRSS, record.rss) = present
    record.validationLoss = validation?.loss
    record.validationAccuracy = validation?.accuracy
    record.validationTop5 = validation?.top5
    (record.firing, record.validationFiring) = (position.epochMetrics.firing, validation?.firing)
    if recorder != nil && areHistogramsDue(after: epoch) {
      record.histograms = setup.trainer.replica.histograms()
    }
    report?.noteBadSamples(training: position.epochMetrics, validation: validation)
    let isBest = position.close(
      validation, densities: densities, rates: record.inputRates.byLayer,
      iterationsPerEpoch: iterationsPerEpoch)
    try recorder?.append(record)
    report?.endEpoch(record, isBest: isBest)
    try checkpoints.afterEpoch(position, isBest: isBest)
    return true
  }

  /// Whether the weights after an epoch are to be measured.
  private func isValidationDue(after epoch: Int) -> Bool {
    isAtItsEnd || (epoch + 1) % setup.configuration.training.validateEvery == 0
  }

  private func areHistogramsDue(after epoch: Int) -> Bool {
    let every = setup.configuration.metrics.histogramsEvery
    return every > 0 && (isAtItsEnd || (epoch + 1) % every == 0)
  }

  /// A run that goes on may be past its end, where that has come nearer.
  private var isAtItsEnd: Bool { position.iteration >= setup.iterations }

  /// - Parameter seconds: that the measured iterations took.
  private func record(
    _ kind: MetricsRecord.Kind, _ metrics: IterationMetrics, epoch: Int, rate: Double,
    seconds: Double
  ) -> MetricsRecord {
    func measured(_ value: Double) -> Double? { metrics.samples > 0 ? value : nil }
    let present = present
    return MetricsRecord(
      kind, epoch: epoch + 1, iteration: position.iteration, samples: position.samples,
      trainLoss: measured(metrics.loss), trainAccuracy: measured(metrics.accuracy),
      learningRate: rate, firingRate: measured(metrics.firingRate),
      imagesPerSecond: measured(metrics.samples / seconds),
      dataWait: measured(metrics.dataWait / Double(communicator.size) / seconds),
      seconds: present.seconds, peakRSS: present.peakRSS, rss: present.rss,
      gradientNorm: gradientNorm)
  }

  /// The run's time so far, and the memory of this process.
  private var present: (seconds: Double, peakRSS: Int, rss: Int) {
    // The system counts both in its own time, so that the peak may lag behind.
    let rss = residentBytes()
    return (seconds, max(peakResidentBytes(), rss), rss)
  }

  private func since(_ instant: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - instant) / .seconds(1)
  }
}

/// A line on the standard error, whatever the progress shows.
package func warn(_ message: String) {
  try? FileHandle.standardError.write(contentsOf: Foundation.Data("warning: \(message)\n".utf8))
}
