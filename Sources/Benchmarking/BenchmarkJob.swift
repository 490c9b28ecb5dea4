import Configuration
import Datasets
import Distributed
import SpikingNetworks
import Support
import Tensors
import Training

/// What a benchmark trains on.
public enum BenchmarkSource {
  /// Freshly drawn weights and noise of the configured shape, with thresholds that give so many spikes for
  /// each neuron and time step; with the configured thresholds where that does not matter.
  case synthetic(firingRate: Double?)
  /// The weights of a checkpoint and the configured data, so that as many neurons fire as in training.
  case checkpoint(ModelFile)

  /// For people.
  var name: String {
    switch self {
    case .synthetic(let firingRate):
      "synthetic data, initial weights"
        + (firingRate.map { ", thresholds for a firing rate of \(Format.percent($0))" } ?? "")
    case .checkpoint(let file): "configured data, weights of \(file.path)"
    }
  }
}

/// A rank of a training job whose iterations are measured. Its weights stay as they are, so that every
/// iteration costs the same.
final class BenchmarkJob {
  let trainer: DataParallelTrainer
  let profile = StepProfile()
  let timesteps: Int
  private let loader: DataLoader
  /// The batch of all iterations, where data are synthetic.
  private var fixedBatch: Batch?
  private var epoch = 0
  /// Seconds for which the latest iteration waited for its batch.
  private(set) var dataWait = 0.0

  init(
    _ configuration: Configuration, _ source: BenchmarkSource, backend: ConvolutionBackend,
    threads: Int, _ communicator: any Communicator
  ) throws {
    try configuration.validate(ranks: communicator.size)
    timesteps = configuration.method.timesteps
    ThreadPool.setThreads(threads)
    func makeTrainer(
      _ configuration: Configuration, classes: Int, samples: Int, _ profile: StepProfile
    ) throws -> DataParallelTrainer {
      let network = try configuration.networkSpecification(classes: classes)
      try configuration.requireMemory(
        for: network, backend, samples: samples, communicator)
      return try DataParallelTrainer(
        configuration, network: network, backend: backend, communicator, profile: profile)
    }
    switch source {
    case .synthetic(let firingRate):
      let completed = configuration.completedForSyntheticData()
      let batch = completed.training.globalBatch
      trainer = try makeTrainer(
        completed, classes: completed.model.classes!, samples: batch, profile)
      if let firingRate {
        try trainer.network.calibrate(
          firingRate: firingRate, completed, ranks: communicator.size)
      }
      loader = completed.syntheticLoader(
        samples: batch, rank: communicator.rank, rankCount: communicator.size)
      fixedBatch = try loader.next()
    case .checkpoint(let file):
      let samples = try DataSplits(configuration, communicator).openTraining()
      try TrainedOn(file).requireClasses(samples.classes)
      // Iterations are counted as of whole batches.
      var configuration = configuration
      configuration.data.dropsLast = true
      guard samples.count >= configuration.training.globalBatch else {
        throw configuration.error(
          "training.global_batch",
          "= \(configuration.training.globalBatch) is more than the"
            + " \(Format.counted(samples.count, "training sample")) there are, and a benchmark"
            + " trains on whole batches: lower it, or start fewer ranks")
      }
      trainer = try makeTrainer(
        configuration, classes: samples.classes.count, samples: samples.count, profile)
      loader = try configuration.loader(
        samples, isTraining: true, communicator, threads: threads)
      loader.begin(epoch: 0)
      try file.restore(trainer.network)
    }
  }

  /// Samples of this rank in an iteration.
  var localBatch: Int { fixedBatch?.count ?? loader.sampler.largestBatch }

  /// One iteration, with an update of length 0.
  func iterate() throws -> IterationMetrics {
    let start = ContinuousClock.now
    let batch = try nextBatch()
    dataWait = fixedBatch == nil ? (ContinuousClock.now - start) / .seconds(1) : 0
    return try trainer.train(batch, learningRate: 0, dataWait: dataWait).metrics
  }

  private func nextBatch() throws -> Batch {
    if let fixedBatch { return fixedBatch }
    while true {
      if let batch = try loader.next() { return batch }
      epoch += 1
      loader.begin(epoch: epoch)
    }
  }
}
