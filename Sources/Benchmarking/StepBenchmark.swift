import Configuration
import Distributed
import SpikingNetworks
import Tensors
import Training

/// Measures training iterations, phase by phase and layer by layer, for several ways to compute them.
///
/// The ways take turns, round by round, so that whatever else the machine does hits all of them alike.
public final class StepBenchmark {
  /// A way to compute an iteration.
  public struct Variant: Sendable {
    public let method: Configuration.Method.Name
    public let precision: Precision
    public let kernels: ConvolutionBackend.Kernels
    /// Of a rank.
    public let threads: Int

    public init(
      _ method: Configuration.Method.Name, _ precision: Precision,
      _ kernels: ConvolutionBackend.Kernels, threads: Int
    ) {
      (self.method, self.precision, self.kernels) = (method, precision, kernels)
      self.threads = threads
    }
  }

  private struct Contestant {
    let variant: Variant
    let job: BenchmarkJob
    var iterationsARound = 1
    /// Seconds an iteration, for each round.
    var seconds: [Double] = []
    var metrics = IterationMetrics()
  }

  private let configuration: Configuration
  private let source: BenchmarkSource
  private let communicator: any Communicator
  private var contestants: [Contestant] = []

  /// Prepares a network for each variant, and warms it up.
  ///
  /// - Parameters:
  ///   - seconds: that a round of a variant takes, at least; it has one iteration or more.
  /// - Throws: what makes training impossible: `ConfigurationError`, `DatasetError`, `NetworkError`,
  ///   `CheckpointError`.
  public init(
    _ configuration: Configuration, _ variants: [Variant], source: BenchmarkSource,
    library: ConvolutionBackend.Library, seconds: Double, _ communicator: any Communicator
  ) throws {
    (self.configuration, self.source) = (configuration, source)
    self.communicator = communicator
    for variant in variants {
      let job = try BenchmarkJob(
        configuration.computing(variant), source,
        backend: ConvolutionBackend(library, kernels: variant.kernels), threads: variant.threads,
        communicator)
      _ = try job.iterate()
      var contestant = Contestant(variant: variant, job: job)
      let iteration = try time(1) { _ = try job.iterate() }
      // Of rank 0, so that all ranks make as many.
      let count = try communicator.allGather(UInt64(max(1, (seconds / iteration).rounded(.up))))[0]
      contestant.iterationsARound = Int(count)
      job.profile.reset()
      contestants.append(contestant)
    }
  }

  /// Measures every variant once more.
  public func runRound() throws {
    for index in contestants.indices {
      let (job, count) = (contestants[index].job, contestants[index].iterationsARound)
      ThreadPool.setThreads(contestants[index].variant.threads)
      contestants[index].seconds.append(
        try time(count) { contestants[index].metrics.add(try job.iterate()) })
    }
  }

  /// Seconds an iteration, on the slowest rank.
  private func time(_ count: Int, _ body: () throws -> Void) throws -> Double {
    try communicator.barrier()
    let start = ContinuousClock.now
    for _ in 0..<count { try body() }
    let seconds = (ContinuousClock.now - start) / .seconds(1) / Double(count)
    return try communicator.allGather(seconds: seconds).max()!
  }

  /// What was measured; phases and layers are those of this rank.
  public func report() -> StepReport {
    StepReport(
      network: contestants[0].job.trainer.network.specification.summary,
      source: source.name, globalBatch: configuration.training.globalBatch,
      timesteps: configuration.method.timesteps,
      machine: BenchmarkMachine(
        threads: contestants.map(\.variant.threads).max()!, communicator),
      peakOfOneThread: PeakSpeed.ofOneThread(),
      variants: contestants.map { contestant in
        StepReport.Variant(
          contestant.variant, contestant.job.trainer.network, contestant.job.profile,
          iterations: contestant.iterationsARound * contestant.seconds.count,
          seconds: contestant.seconds, images: configuration.training.globalBatch,
          firingRate: contestant.metrics.firingRate)
      })
  }
}

extension Configuration {
  /// The same training in a benchmark's way.
  func computing(_ variant: StepBenchmark.Variant) throws -> Configuration {
    var changed = try learning(by: variant.method)
    changed.training.precision = variant.precision
    return changed
  }
}
