import Configuration
import Distributed
import SpikingNetworks
import Support
import Tensors
import Training

/// The memory of training with one method and number of time steps.
public struct MemoryMeasurement: Codable, Sendable {
  let method: Configuration.Method.Name
  let timesteps: Int
  /// Largest resident memory of the process.
  let peakBytes: Int
  let tapeBytes: Int
  /// Tensors of an iteration, those on the tape included.
  let activationBytes: Int
  /// What `MemoryEstimate` says of all that.
  let predictedBytes: Int
  let predictedTapeBytes: Int
  /// Spikes for each neuron and time step.
  let firingRate: Double

  /// The prediction against the measurement, as a share.
  var error: Double { Double(predictedBytes) / Double(peakBytes) - 1 }
}

extension MemoryMeasurement {
  /// Trains on noise for a few iterations. The largest resident memory is that of the whole process, so
  /// a process can measure only once.
  ///
  /// - Parameters:
  ///   - firingRate: spikes for each neuron and time step.
  public init(
    _ configuration: Configuration, firingRate: Double, backend: ConvolutionBackend, threads: Int
  ) throws {
    let communicator = SingleProcess()
    let before = residentBytes()
    let job = try BenchmarkJob(
      configuration, .synthetic(firingRate: firingRate), backend: backend, threads: threads,
      communicator)
    var metrics = IterationMetrics()
    for _ in 0..<3 { metrics.add(try job.iterate()) }
    let trainer = job.trainer
    let estimate = MemoryEstimate(
      trainer.network.plan,
      samples: configuration.samplesAtOnce(ranks: 1),
      rule: configuration.method.rule,
      optimizerBuffers: trainer.replica.optimizer.state.count,
      isStatic: configuration.framesOfASample == 1,
      loadedFrames: job.localBatch * configuration.framesOfASample,
      before: before)
    method = configuration.method.name
    timesteps = configuration.method.timesteps
    peakBytes = peakResidentBytes()
    tapeBytes = trainer.peakTapeBytes
    activationBytes = trainer.network.arena.peakBytes
    predictedBytes = estimate.totalBytes
    predictedTapeBytes = estimate.tapeBytes
    self.firingRate = metrics.firingRate
  }
}

extension Configuration {
  /// The same training by another method, of so many time steps.
  public func training(
    by name: Method.Name, timesteps: Int
  ) throws -> Configuration {
    var changed = try learning(by: name)
    changed.method.timesteps = timesteps
    changed.method.k = changed.method.k.map { min($0, timesteps) }
    changed.data.frames = nil
    changed.loss.stepWeights = nil
    return changed
  }
}
