import Configuration
import Distributed
import Foundation
import SpikingNetworks
import Support
import Tensors

/// What a run tells people, on rank 0: what it is made of, how it goes, and how it ended.
final class RunReport {
  private let setup: TrainingSetup
  private var progress: ProgressReporter
  /// What computed the convolutions in the latest epoch, as it was reported.
  private var reportedKernels: String?
  /// Samples of an epoch's training and of a validation that others took the place of.
  private var badSamples = (training: 0, validation: 0)

  init(_ setup: TrainingSetup) {
    self.setup = setup
    progress = ProgressReporter(logEvery: setup.configuration.training.logEvery)
  }

  private var configuration: Configuration { setup.configuration }

  /// Says what the run is made of.
  func begin() {
    print(RunSummary(setup).text)
    if let source = setup.weightSource { print(source + "\n") }
  }

  /// Says where a run goes on, and what is no longer as it was.
  func resume(from state: RunState) { print(ResumeNote(setup, state).text) }

  /// Begins to show the progress of an epoch.
  func showProgress() { progress.resume() }

  func hideProgress() { progress.finish() }

  /// Shows an iteration.
  ///
  /// - Parameter iteration: of its epoch, from 1.
  func update(_ metrics: IterationMetrics, at position: RunPosition, epoch: Int, _ iteration: Int) {
    progress.update(
      TrainingStatus(
        epoch: epoch + 1, epochs: configuration.training.epochs, iteration: iteration,
        iterationsPerEpoch: setup.iterationsPerEpoch,
        remainingIterations: setup.iterations - position.iteration, samples: Int(metrics.samples),
        loss: metrics.loss, accuracy: metrics.accuracy, firingRate: metrics.firingRate,
        layerRates: metrics.firing.map { firing in firing.layers.map(firing.rate) } ?? [],
        dataWait: metrics.dataWait / Double(setup.communicator.size)))
  }

  /// Shows a batch of a validation.
  ///
  /// - Parameter batch: from 1.
  func update(validationBatch batch: Int, epoch: Int) {
    let count = setup.validationLoader.sampler.sampleCount
    progress.update(
      ValidationStatus(
        epoch: epoch + 1, epochs: configuration.training.epochs, batch: batch,
        samples: min(batch * configuration.training.globalBatch, count), sampleCount: count))
  }

  /// Remembers how many samples of an epoch were bad, for the end.
  func noteBadSamples(training: IterationMetrics, validation: IterationMetrics?) {
    badSamples.training = max(badSamples.training, Int(training.replaced))
    badSamples.validation = max(badSamples.validation, Int(validation?.replaced ?? 0))
  }

  /// Says how an epoch went, and what computed its convolutions if that is no longer what it was.
  func endEpoch(_ record: MetricsRecord, isBest: Bool) {
    if let accuracy = record.validationAccuracy { progress.addEpoch(validationAccuracy: accuracy) }
    progress.message(line(record, isBest: isBest))
    let kernels = record.kernels.summary
    guard kernels != reportedKernels else { return }
    reportedKernels = kernels
    progress.message("kernels: \(kernels)")
  }

  private func line(_ record: MetricsRecord, isBest: Bool) -> String {
    func text(_ value: Double?, _ format: (Double) -> String) -> String {
      value.map(format) ?? "not measured"
    }
    let all = setup.iterationsPerEpoch
    let done = record.iteration - (record.epoch - 1) * all
    return "epoch \(record.epoch)/\(configuration.training.epochs) "
      + (done < all ? "ended after \(done) of \(Format.counted(all, "iteration")): " : "done: ")
      + "loss \(text(record.trainLoss) { Format.fixed($0, 4) }), "
      + "accuracy \(text(record.trainAccuracy) { Format.percent($0) }), "
      + "validation accuracy \(text(record.validationAccuracy) { Format.percent($0, digits: 2) })"
      + (isBest ? " (best), " : ", ")
      + "\(text(record.imagesPerSecond, Format.rate)) images/s, "
      + "firing rate \(text(record.firingRate) { Format.percent($0) }), "
      + "waited for data \(text(record.dataWait) { Format.percent($0) }) of the time"
  }

  /// Says that a signal has stopped the run.
  func stop(at position: RunPosition) {
    progress.finish()
    guard let output = setup.output else { return }
    let signal = StopSignal.name ?? "a signal on another rank"
    // With `checkpoint.on_error: continue` the present weights may not be in it.
    guard let latest = try? Checkpoint(contentsOf: output.checkpoints.latestLink) else {
      return print(
        "\(signal) asked the run to stop after"
          + " \(Format.counted(position.iteration, "iteration")): it has no checkpoint")
    }
    print(
      "\(signal) asked the run to stop: it has a checkpoint after"
        + " \(Format.counted(latest.state.position.iteration, "iteration")); go on with --resume"
        + " \(output.path)")
  }

  /// Says what a complete run came to.
  ///
  /// - Parameters:
  ///   - seconds: that it took.
  ///   - reading: what ranks have read, a line each.
  ///   - peaks: the largest resident memory of each rank, in bytes.
  func end(at position: RunPosition, seconds: Double, reading: [String], peaks: [Int]) {
    let (epochs, rest) = position.iteration.quotientAndRemainder(
      dividingBy: setup.iterationsPerEpoch)
    var lines = [
      "trained \(epochs > 0 ? Format.counted(epochs, "epoch") + " " : "")"
        + (rest > 0 ? (epochs > 0 ? "and " : "") + "a part of an epoch " : "")
        + "(\(Format.counted(position.iteration, "iteration"))) in "
        + "\(Format.duration(seconds)), peak memory \(Format.bytes(peaks[0]))"
        + (peaks.dropFirst().max().map { " on rank 0, \(Format.bytes($0)) on the others" } ?? ""),
      "best validation accuracy "
        + Format.percent(position.bestAccuracy ?? 0, digits: 2),
    ]
    if badSamples != (0, 0) {
      lines.append(
        "bad samples, replaced by neighbours: \(badSamples.training) for training, "
          + "\(badSamples.validation) for validation")
    }
    lines += reading
    if let output = setup.output { lines.append("results in \(output.path)") }
    print(lines.joined(separator: "\n"))
  }
}
