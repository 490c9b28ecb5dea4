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
    MetricsRecord(
      kind, epoch: epoch + 1, iteration: position.iteration, samples: position.samples,
      trainLoss: metrics.loss, trainAccuracy: metrics.accuracy, learningRate: rate,
      firingRate: metrics.firingRate, imagesPerSecond: metrics.samples / seconds,
      dataWait: metrics.dataWait / Double(communicator.size) / seconds,
      seconds: since(start), peakRSS: peakResidentBytes())
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
    "epoch \(record.epoch)/\(configuration.training.epochs) done: "
      + "loss \(Format.fixed(record.trainLoss, 4)), "
      + "accuracy \(Format.percent(record.trainAccuracy)), "
      + "validation accuracy \(Format.percent(record.validationAccuracy ?? 0, digits: 2))"
      + (isBest ? " (best), " : ", ")
      + "\(Format.rate(record.imagesPerSecond)) images/s, "
      + "firing rate \(Format.percent(record.firingRate)), "
      + "waited for data \(Format.percent(record.dataWait)) of the time"
  }

  /// - Parameter peaks: the largest resident memory of each rank.
  func closing(reading: [String], peaks: [Int]) -> String {
    let epochsBegun = (position.iteration + iterationsPerEpoch - 1) / iterationsPerEpoch
    var lines = [
      "trained \(Format.counted(epochsBegun, "epoch")) "
        + "(\(Format.counted(position.iteration, "iteration"))) in "
        + "\(Format.duration(since(start))), peak memory \(Format.bytes(peaks[0]))"
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
    return lines.joined(separator: "\n") + "\n"
  }

  /// - Parameter residentBefore: bytes, before the network was made.
  func summary(_ backend: ConvolutionBackend, threads: Int, residentBefore: Int) -> String {
    let network = trainer.network
    let method = configuration.trainingMethod
    let memory = MemoryEstimate(
      network, configuration, method, ranks: communicator.size,
      batch: trainingLoader.sampler.largestBatch,
      optimizerBuffers: trainer.optimizer.state.count, before: residentBefore)
    let rows = [
      ("model", network.specification.summary),
      ("parameters", Format.count(network.store.weights.count)),
      ("method", method.summary),
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

extension TrainingMethod {
  /// In a few words, for people.
  var summary: String {
    "\(name.rawValue), T = \(timesteps)" + (name == .slttK ? ", K = \(trainedCount)" : "")
  }
}
