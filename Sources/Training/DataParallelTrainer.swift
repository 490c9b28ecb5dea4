import Datasets
import Distributed
import SpikingNetworks
import Tensors

/// A replica of the network on one rank of a data-parallel job.
///
/// Each iteration takes this rank's part of the global batch, adds up gradients over the time steps, and
/// makes exactly one all-reduce, of gradients, running statistics and metrics together; then every rank
/// takes the same step.
public final class DataParallelTrainer {
  public let network: SpikingNetwork
  public let optimizer: any ParameterOptimizer
  private let method: TrainingMethod
  private let seed: UInt64
  private let step: TrainingStep
  private let reducer: GradientReducer

  /// Iterations so far.
  public private(set) var iteration = 0

  /// - Throws: `NetworkError`; `ReplicaMismatch` unless all ranks start from the same weights.
  public init(
    _ configuration: Configuration, network specification: NetworkSpecification,
    backend: ConvolutionBackend, _ communicator: any Communicator
  ) throws {
    method = configuration.trainingMethod
    seed = configuration.training.seed
    network = try SpikingNetwork(specification, backend: backend, seed: seed)
    step = TrainingStep(
      network, loss: configuration.lossSpecification, timesteps: method.timesteps)
    optimizer = configuration.makeOptimizer(count: network.store.weights.count)
    reducer = GradientReducer(communicator: communicator)
    try checkReplicas("initial weights")
  }

  /// Goes on where a run stood, on every rank.
  public func resume(from point: ResumePoint) throws {
    try point.restore(network, optimizer)
    iteration = point.position.iteration
    try checkReplicas("resumed weights")
  }

  /// Compares the weights of all ranks.
  public func checkReplicas(_ what: String) throws {
    let hash = network.store.weights.all.withUnsafeMutableBufferPointer {
      bitHash(UnsafeBufferPointer($0))
    }
    try reducer.communicator.checkIdentical(hash: hash, what: what)
  }

  /// The most bytes that the tape has held.
  public var peakTapeBytes: Int { step.peakTapeBytes }

  /// One iteration: the method's gradients of the global batch, and a step along them.
  ///
  /// - Parameter dataWait: seconds that this rank waited for the batch, for the metrics.
  /// - Returns: what all ranks measured together.
  public func train(
    _ batch: Batch, learningRate: Double, dataWait: Double = 0
  ) throws -> IterationMetrics {
    let store = network.store
    store.reduction.all.fill(0)
    var local = IterationMetrics()
    if batch.count > 0 {
      step.accumulateGradients(
        network.frames(batch), labels: batch.labels.map(Int.init),
        mixture: batch.mixture.map {
          LabelMixture(share: $0.share, partners: $0.partnerLabels.map(Int.init))
        },
        globalCount: batch.globalCount,
        trained: method.trainedTimesteps(seed: seed, iteration: iteration),
        window: method.window,
        context: IterationContext(seed: seed, iteration: iteration, sampleOffset: batch.offset))
      local = measured(batch)
    }
    local.dataWait = dataWait
    local.write(to: store.metricTail)
    // Running statistics of the ranks are averaged by their numbers of samples.
    store.statisticTail.assign(
      store.statisticValues.all, times: Float(batch.count) / Float(batch.globalCount))
    try store.reduction.all.withUnsafeMutableBufferPointer { try reducer.reduce($0) }
    if reducer.communicator.size > 1 {
      store.statisticValues.all.assign(store.statisticTail, times: 1)
    }
    let metrics = IterationMetrics(from: store.metricTail)
    guard metrics.loss.isFinite else {
      throw TrainingError(
        description: "the loss is not finite in iteration \(iteration + 1); lower"
          + " optimizer.learning_rate or check the data")
    }
    optimizer.update(store.weights.all, along: store.gradients, learningRate: learningRate)
    network.weightsDidChange()
    iteration += 1
    return metrics
  }

  /// Measures the accuracy on a split, each of whose samples some rank takes exactly once.
  public func evaluate(_ loader: DataLoader) throws -> IterationMetrics {
    var local = IterationMetrics()
    loader.begin(epoch: 0)
    while let batch = try loader.next() {
      guard batch.count > 0 else { continue }
      step.evaluate(
        network.frames(batch), labels: batch.labels.map(Int.init), globalCount: batch.count)
      local.add(measured(batch))
    }
    // Shares of the loss add up to the mean over all samples.
    local.loss *= local.samples / Double(loader.sampler.sampleCount)
    let tail = network.store.metricTail
    tail.fill(0)
    local.write(to: tail)
    try tail.withUnsafeMutableBufferPointer { try reducer.reduce($0) }
    return IterationMetrics(from: tail)
  }

  private func measured(_ batch: Batch) -> IterationMetrics {
    var metrics = IterationMetrics()
    metrics.loss = step.loss.value
    metrics.samples = Double(batch.count)
    metrics.replaced = Double(batch.replaced)
    metrics.correct = Double(step.loss.correct(amongTop: 1))
    metrics.correctTop5 = Double(step.loss.correct(amongTop: 5))
    let activity = network.activity
    metrics.spikes = Double(activity.spikes)
    metrics.neuronSteps = Double(activity.neuronSteps)
    return metrics
  }
}

/// Training that cannot go on.
public struct TrainingError: Error, CustomStringConvertible {
  public let description: String
}

extension SpikingNetwork {
  /// A batch's images as the frame of every time step, or its recordings as one for each; valid as
  /// long as the batch.
  fileprivate func frames(_ batch: Batch) -> FrameSequence {
    let shape = specification.input.withSamples(batch.timesteps * batch.count)
    let frames = Tensor(viewOf: batch.frames, shape)
    return batch.timesteps == 1
      ? FrameSequence(static: frames) : FrameSequence(frames, timesteps: batch.timesteps)
  }
}

extension Configuration {
  /// The loss as configured.
  var lossSpecification: LossSpecification {
    LossSpecification(
      mseWeight: Float(loss.mseWeight), mseTarget: loss.mseTarget, mseMean: Float(loss.mseMean),
      labelSmoothing: Float(loss.labelSmoothing))
  }
}
