import Distributed
import Foundation
import SpikingNetworks
import Tensors

/// What a run tells people.
extension TrainingRun {
  func since(_ instant: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - instant) / .seconds(1)
  }

  /// - Parameter seconds: that the measured iterations took.
  func record(
    _ kind: MetricsRecord.Kind, _ metrics: IterationMetrics, epoch: Int, rate: Double,
    seconds: Double
  ) -> MetricsRecord {
    func measured(_ value: Double) -> Double? { metrics.samples > 0 ? value : nil }
    return MetricsRecord(
      kind, epoch: epoch + 1, iteration: position.iteration, samples: position.samples,
      trainLoss: measured(metrics.loss), trainAccuracy: measured(metrics.accuracy),
      learningRate: rate, firingRate: measured(metrics.firingRate),
      imagesPerSecond: measured(metrics.samples / seconds),
      dataWait: measured(metrics.dataWait / Double(communicator.size) / seconds),
      seconds: self.seconds, peakRSS: peakResidentBytes())
  }

  func status(_ metrics: IterationMetrics, epoch: Int, iteration: Int) -> TrainingStatus {
    TrainingStatus(
      epoch: epoch + 1, epochs: configuration.training.epochs, iteration: iteration,
      iterationsPerEpoch: iterationsPerEpoch,
      remainingIterations: iterations - position.iteration, samples: Int(metrics.samples),
      loss: metrics.loss, accuracy: metrics.accuracy, firingRate: metrics.firingRate,
      dataWait: metrics.dataWait / Double(communicator.size))
  }

  func epochLine(_ record: MetricsRecord, isBest: Bool) -> String {
    func text(_ value: Double?, _ format: (Double) -> String) -> String {
      value.map(format) ?? "not measured"
    }
    return "epoch \(record.epoch)/\(configuration.training.epochs) done: "
      + "loss \(text(record.trainLoss) { Format.fixed($0, 4) }), "
      + "accuracy \(text(record.trainAccuracy) { Format.percent($0) }), "
      + "validation accuracy \(Format.percent(record.validationAccuracy ?? 0, digits: 2))"
      + (isBest ? " (best), " : ", ")
      + "\(text(record.imagesPerSecond, Format.rate)) images/s, "
      + "firing rate \(text(record.firingRate) { Format.percent($0) }), "
      + "waited for data \(text(record.dataWait) { Format.percent($0) }) of the time"
  }

  /// - Parameter peaks: the largest resident memory of each rank.
  func closing(reading: [String], peaks: [Int]) -> String {
    let epochsBegun = (position.iteration + iterationsPerEpoch - 1) / iterationsPerEpoch
    var lines = [
      "trained \(Format.counted(epochsBegun, "epoch")) "
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
    if let output { lines.append("results in \(output.path)") }
    return lines.joined(separator: "\n")
  }

  /// Where a run goes on, and what is no longer as it was.
  func resumeNote(_ state: RunState) -> String {
    var lines = [
      "resuming after \(Format.counted(state.position.iteration, "iteration"))"
    ]
    if state.worldSize != communicator.size {
      lines.append(
        "the checkpoint is of \(Format.counted(state.worldSize, "rank")): the same batches follow,"
          + " with sums that may be rounded differently")
    }
    var before = Configuration()
    try? before.apply(yaml: state.configuration, from: "the checkpoint")
    for key in Configuration.keys {
      let (old, new) = (key.yaml(before) ?? "none", key.yaml(configuration) ?? "none")
      if old != new { lines.append("\(key.name) was \(old) and is \(new)") }
    }
    if let jump = rateJump(before.learningRateSchedule) { lines.append(jump) }
    return lines.joined(separator: "\n") + "\n"
  }

  /// How the learning rate changes at once because the schedule is no longer the same, if it does.
  private func rateJump(_ before: LearningRateSchedule) -> String? {
    let schedule = configuration.learningRateSchedule
    let epoch = position.iteration / iterationsPerEpoch
    guard before != schedule, position.iteration < iterations else { return nil }
    let last = min(epoch, before.epochs - 1)
    let (old, new) = (before.rate(epoch: last), schedule.rate(epoch: epoch))
    guard old != new else { return nil }
    func text(_ rate: Double) -> String { String(format: "%.4g", rate) }
    return "the learning rate jumps from \(text(old)), of epoch \(last + 1) as it was planned, to"
      + " \(text(new)) in epoch \(epoch + 1)"
  }

  /// What becomes of an epoch's last batch where it is smaller than the others: it moves the weights as
  /// far as they do, by fewer samples.
  private var lastBatch: String? {
    let sampler = trainingLoader.sampler
    guard sampler.remainder > 0, sampler.sampleCount > sampler.globalBatch else { return nil }
    let samples = Format.counted(sampler.remainder, "sample")
    return sampler.dropsLast
      ? "left out: \(samples) of each epoch, others each time"
      : "\(samples) of \(sampler.globalBatch); data.drop_last: true leaves it out"
  }

  /// - Parameter residentBefore: bytes, before the network was made.
  func summary(_ backend: ConvolutionBackend, threads: Int, residentBefore: Int) -> String {
    let network = trainer.network
    let memory = MemoryEstimate(
      network.plan, configuration, ranks: communicator.size,
      batch: trainingLoader.sampler.largestBatch,
      optimizerBuffers: trainer.optimizer.state.count, before: residentBefore)
    var rows = [
      ("model", network.specification.summary),
      ("parameters", Format.count(network.store.weights.count)),
      ("method", configuration.method.summary),
      (
        "data",
        "\(data.name): \(Format.count(data.training.count)) training and "
          + "\(Format.count(data.validation.count)) validation samples, "
          + "\(data.classes.count) classes"
      ),
      (
        "ranks",
        Format.counted(communicator.size, "rank") + " x " + Format.counted(threads, "thread")
          + ", global batch \(configuration.training.globalBatch)"
      ),
      (
        "kernels",
        "\(backend.library.rawValue), spikes \(backend.kernels.rawValue)"
      ),
      ("reduction", trainer.reductionSummary),
      ("precision", network.precisionProblem ?? network.specification.precision.rawValue),
      (
        "schedule",
        Format.counted(configuration.training.epochs, "epoch") + " of "
          + Format.counted(iterationsPerEpoch, "iteration")
          + ", \(configuration.optimizer.name.rawValue), learning rate "
          + "\(configuration.optimizer.learningRate) (\(configuration.schedule.name.rawValue))"
      ),
      (
        "memory",
        "about \(Format.bytes(memory.totalBytes)) a rank expected"
          + (output == nil
            ? "" : ", \(Format.bytes(memory.checkpointBytes)) more on rank 0 for checkpoints")
      ),
      ("output", output?.path ?? "none"),
    ]
    if let lastBatch { rows.append(("last batch", lastBatch)) }
    rows += data.notes.map { ($0.title, $0.text) }
    return rows.map { name, value in name.padding(toLength: 12, withPad: " ", startingAt: 0) + value
    }
    .joined(separator: "\n") + "\n"
  }
}

extension NetworkSpecification {
  /// In a few words, for people.
  var summary: String {
    let tau = neuron.tau.isFinite ? "tau \(neuron.tau)" : "IF"
    return "\(family.rawValue) \(blocks), width \(width), input \(imageSize)x\(imageSize)x"
      + "\(inputChannels), \(classes) classes; LIF \(tau), \(neuron.surrogate.shape.rawValue)"
  }
}

extension Configuration.Method {
  /// In a few words, for people.
  var summary: String {
    "\(name.rawValue), T = \(timesteps)" + (k.map { ", K = \($0)" } ?? "")
  }
}
