import Datasets
import Distributed
import Foundation
import SpikingNetworks
import Tensors

/// A whole run: epochs of training, each followed by validation, metrics and checkpoints.
///
/// Every rank issues the same collectives in the same order: those of the trainer. Only rank 0 prints
/// and writes files.
public final class TrainingRun {
  private let configuration: Configuration
  private let data: TrainingData
  private let communicator: any Communicator
  private let trainer: DataParallelTrainer
  private let trainingLoader: DataLoader
  private let validationLoader: DataLoader
  private let output: OutputDirectory?
  private var position = Checkpoint.Position(epoch: 0, iteration: 0, samples: 0)
  private let start = ContinuousClock.now
  /// Samples of an epoch's training and of a validation that others took the place of.
  private var badSamples = (training: 0, validation: 0)

  /// - Parameters:
  ///   - output: where to write, on rank 0.
  ///   - resuming: the run that is to go on, if any.
  ///   - threads: of this rank.
  /// - Throws: what makes the run impossible: `ConfigurationError`, `DatasetError`, `NetworkError`,
  ///   `ReplicaMismatch`.
  public init(
    _ configuration: Configuration, backend: ConvolutionBackend, threads: Int,
    output: OutputDirectory?, resuming: ResumePoint? = nil, _ communicator: any Communicator
  ) throws {
    try configuration.validate(ranks: communicator.size)
    self.configuration = configuration
    self.communicator = communicator
    self.output = output
    ThreadPool.setThreads(threads)
    data = try TrainingData(configuration, communicator)
    trainer = try DataParallelTrainer(
      configuration,
      network: configuration.networkSpecification(classes: data.classes.count),
      backend: backend, communicator)
    trainingLoader = try configuration.loader(
      data.training, isTraining: true, communicator, threads: threads)
    validationLoader = try configuration.loader(
      data.validation, isTraining: false, communicator, threads: threads)
    if communicator.isRoot { print(summary(backend, threads: threads)) }
    guard let resuming else { return }
    guard resuming.globalBatch == configuration.training.globalBatch else {
      throw configuration.error(
        "training.global_batch",
        "= \(configuration.training.globalBatch), but the run counts iterations of"
          + " \(resuming.globalBatch) samples: leave it at that")
    }
    try trainer.resume(from: resuming)
    position = resuming.position
    if communicator.isRoot {
      print("resuming after \(Format.counted(position.iteration, "iteration"))\n")
    }
  }

  private var iterationsPerEpoch: Int { trainingLoader.sampler.iterations }

  private var iterations: Int {
    let all = configuration.training.epochs * trainingLoader.sampler.iterations
    return min(all, configuration.training.maxIterations ?? all)
  }

  /// Trains to the end, and returns the last validation.
  public func run() throws -> IterationMetrics {
    try output?.create()
    let log = try output.map {
      try MetricsLog(directory: $0.path, upToIteration: position.iteration)
    }
    try output?.write(configuration)
    var progress =
      communicator.isRoot ? ProgressReporter(logEvery: configuration.training.logEvery) : nil
    var validation = IterationMetrics()
    while trainer.iteration < iterations {
      let epoch = trainer.iteration / iterationsPerEpoch
      let rate = configuration.learningRateSchedule.rate(epoch: epoch)
      let epochStart = ContinuousClock.now
      var total = IterationMetrics()
      var interval = IterationMetrics()
      var intervalStart = epochStart
      func record(
        _ kind: MetricsRecord.Kind, _ metrics: IterationMetrics, since: ContinuousClock.Instant
      )
        -> MetricsRecord
      {
        let seconds = (ContinuousClock.now - since) / .seconds(1)
        return MetricsRecord(
          kind, epoch: epoch + 1, iteration: trainer.iteration, samples: position.samples,
          trainLoss: metrics.loss, trainAccuracy: metrics.accuracy, learningRate: rate,
          firingRate: metrics.firingRate,
          imagesPerSecond: metrics.samples / seconds,
          dataWait: metrics.dataWait / Double(communicator.size) / seconds,
          seconds: (ContinuousClock.now - start) / .seconds(1), peakRSS: peakResidentBytes())
      }

      trainingLoader.begin(epoch: epoch, iteration: trainer.iteration % iterationsPerEpoch)
      progress?.resume()
      while trainer.iteration < iterations {
        let waitStart = ContinuousClock.now
        guard let batch = try trainingLoader.next() else { break }
        let metrics = try trainer.train(
          batch, learningRate: rate, dataWait: (ContinuousClock.now - waitStart) / .seconds(1))
        position.iteration = trainer.iteration
        position.samples += batch.globalCount
        total.add(metrics)
        interval.add(metrics)
        progress?.update(status(metrics, epoch: epoch, iteration: batch.iteration + 1))
        if (batch.iteration + 1) % configuration.training.logEvery == 0 {
          try log?.append(record(.interval, interval, since: intervalStart))
          interval = IterationMetrics()
          intervalStart = ContinuousClock.now
        }
      }
      var epochRecord = record(.epoch, total, since: epochStart)
      validation = try trainer.evaluate(validationLoader)
      badSamples.training = max(badSamples.training, Int(total.replaced))
      badSamples.validation = max(badSamples.validation, Int(validation.replaced))
      epochRecord.validationLoss = validation.loss
      epochRecord.validationAccuracy = validation.accuracy
      epochRecord.validationTop5 = validation.top5
      try log?.append(epochRecord)
      position.epoch = trainer.iteration / iterationsPerEpoch
      position.validationAccuracy = validation.accuracy
      let isBest = validation.accuracy > position.bestAccuracy ?? -1
      if isBest { position.bestAccuracy = validation.accuracy }
      try save(position, isBest: isBest)
      progress?.message(epochLine(epochRecord, isBest: isBest))
    }
    progress?.finish()
    try trainer.checkReplicas("weights after training")
    let reading = try data.readingSummary(communicator)
    if communicator.isRoot { print(closing(position, reading: reading)) }
    return validation
  }

  private func save(_ position: Checkpoint.Position, isBest: Bool) throws {
    guard let output else { return }
    for path in [output.latestCheckpoint] + (isBest ? [output.bestCheckpoint] : []) {
      try Checkpoint.write(
        trainer.network, configuration: configuration, classes: data.classes, position: position,
        to: path)
    }
    try ResumePoint.write(
      trainer.network, trainer.optimizer, position: position,
      globalBatch: configuration.training.globalBatch, to: output.latestOptimizer)
  }

  private func status(
    _ metrics: IterationMetrics, epoch: Int, iteration: Int
  ) -> TrainingStatus {
    TrainingStatus(
      epoch: epoch + 1, epochs: configuration.training.epochs, iteration: iteration,
      iterationsPerEpoch: trainingLoader.sampler.iterations,
      remainingIterations: iterations - trainer.iteration, samples: Int(metrics.samples),
      loss: metrics.loss, accuracy: metrics.accuracy, firingRate: metrics.firingRate,
      dataWait: metrics.dataWait / Double(communicator.size))
  }

  private func epochLine(_ record: MetricsRecord, isBest: Bool) -> String {
    "epoch \(record.epoch)/\(configuration.training.epochs) done: "
      + "loss \(Format.fixed(record.trainLoss, 4)), "
      + "accuracy \(Format.percent(record.trainAccuracy)), "
      + "validation accuracy \(Format.percent(record.validationAccuracy ?? 0, digits: 2))"
      + (isBest ? " (best), " : ", ")
      + "\(Format.rate(record.imagesPerSecond)) images/s, "
      + "firing rate \(Format.percent(record.firingRate)), "
      + "waited for data \(Format.percent(record.dataWait)) of the time"
  }

  private func closing(_ position: Checkpoint.Position, reading: [String]) -> String {
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let epochsBegun = (position.iteration + iterationsPerEpoch - 1) / iterationsPerEpoch
    var lines = [
      "trained \(Format.counted(epochsBegun, "epoch")) "
        + "(\(Format.counted(position.iteration, "iteration"))) in "
        + "\(Format.duration(seconds)), peak memory \(Format.bytes(peakResidentBytes())) a rank",
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

  private func summary(_ backend: ConvolutionBackend, threads: Int) -> String {
    let network = trainer.network
    let method = configuration.trainingMethod
    let localBatch = trainingLoader.sampler.largestBatch
    let memory = MemoryEstimate(
      network, samples: localBatch, window: method.window,
      optimizerBuffers: trainer.optimizer.state.count)
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
      (
        "schedule",
        Format.counted(configuration.training.epochs, "epoch") + " of "
          + Format.counted(trainingLoader.sampler.iterations, "iteration")
          + ", \(configuration.optimizer.name.rawValue), learning rate "
          + "\(configuration.optimizer.learningRate) (\(configuration.schedule.name.rawValue))"
      ),
      ("memory", "about \(Format.bytes(memory.totalBytes)) a rank expected"),
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
