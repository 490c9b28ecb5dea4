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
  private let seed: UInt64
  /// Local samples that go through the network at once; nil: all.
  private let microBatch: Int?
  private let step: TrainingStep
  private let communicator: any Communicator
  private let exchange: GradientExchange
  private let profile: StepProfile?
  /// Running statistics as they were before an iteration.
  private let statisticsBefore: FlatBuffer
  /// The first parameter, in the order of the forward pass, whose gradient on this rank is not finite.
  private var nonFiniteParameter: Int?

  /// Iterations so far.
  public private(set) var iteration = 0

  /// - Parameters:
  ///   - profile: where the trainer notes how long things take.
  ///   - chunkLength: floats that are added up over the ranks at once.
  /// - Throws: `NetworkError`; `ReplicaMismatch` unless all ranks start from the same weights.
  public init(
    _ configuration: Configuration, network specification: NetworkSpecification,
    backend: ConvolutionBackend, _ communicator: any Communicator,
    profile: StepProfile? = nil, chunkLength: Int = GradientReducer.defaultChunkLength
  ) throws {
    self.communicator = communicator
    self.profile = profile
    seed = configuration.training.seed
    microBatch = configuration.training.microBatch
    network = try SpikingNetwork(
      specification, backend: backend, seed: seed,
      tailCount: IterationMetrics.count + RankReports.count(ranks: communicator.size),
      tailCountPerConvolution: IterationMetrics.countPerConvolution, profile: profile)
    step = TrainingStep(
      network, configuration.learningRule, loss: configuration.lossSpecification)
    exchange = GradientExchange(
      network.store, configuration, chunkLength: chunkLength, communicator)
    optimizer = configuration.makeOptimizer(
      count: exchange.shards?.stateCount ?? network.store.weights.count)
    statisticsBefore = FlatBuffer(count: network.store.statisticValues.count)
    network.onFinishedGradients = { [unowned self] in gradientsAreFinal($0) }
    try checkReplicas("initial weights")
  }

  private var activity: ActivityRecord { communicator.activity }
  private var shards: OptimizerShards? { exchange.shards }
  private var metricCount: Int {
    IterationMetrics.count
      + IterationMetrics.countPerConvolution * network.convolutions.count
  }
  private var metricTail: FloatView { network.store.tail[0..<metricCount] }
  private var reportTail: FloatView {
    network.store.tail[metricCount..<network.store.tail.count]
  }

  /// How gradients are added up over the ranks, for the record.
  var reduction: RunState.Reduction { exchange.reduction }

  /// The same in a few words, for people.
  var reductionSummary: String { exchange.summary }

  /// Bytes whose all-reduce sends as much as an iteration does.
  var reducedBytes: Int { exchange.reducedBytes }

  /// Seconds so far in which gradients were added up while this rank computed.
  var hiddenReductionSeconds: Double { exchange.hiddenSeconds }

  /// Puts all replicas where a run stood. A collective; only rank 0 reads files.
  ///
  /// - Parameters:
  ///   - checkpoint: on rank 0.
  ///   - iteration: where to go on.
  func restore(_ checkpoint: Checkpoint?, iteration: Int) throws {
    if let shards {
      try restore(checkpoint, shards)
    } else {
      try checkpoint?.restore(network, optimizer.state)
      for (_, values) in optimizer.state { try broadcast(values) }
    }
    var updates = UInt64(checkpoint?.state.updates ?? 0)
    try withUnsafeMutableBytes(of: &updates) { try communicator.broadcast($0, root: 0) }
    optimizer.updates = Int(updates)
    try shareWeights()
    self.iteration = iteration
  }

  /// Gives each rank its parts of the optimizer's state, parameter by parameter.
  private func restore(_ checkpoint: Checkpoint?, _ shards: OptimizerShards) throws {
    let (store, state) = (network.store, optimizer.state)
    guard let checkpoint else {
      for parameter in store.parametersInForwardOrder {
        for (_, values) in state {
          try shards.scatter(nil, of: store.range(of: parameter), into: values)
        }
      }
      return
    }
    let room = FlatBuffer(count: store.parameters.map(\.count).max() ?? 0)
    try checkpoint.restore(network, states: state.map(\.name)) { index, parameter, published in
      let values = room[0..<parameter.count]
      parameter.assign(published: published, to: values)
      try shards.scatter(values, of: store.range(of: parameter), into: state[index].values)
    }
  }

  /// A way to bring the optimizer's state to rank 0 where it is divided among the ranks, which all have to
  /// finish; `nil` where it is not, or not wanted. A collective.
  ///
  /// - Parameter isWanted: whether rank 0 has a use for it; what the others pass is ignored.
  func gatherOptimizerState(isWanted: Bool) throws -> OptimizerGathering? {
    guard let shards else { return nil }
    guard try communicator.broadcast(isWanted ? [1] : [], root: 0) == [1] else { return nil }
    return OptimizerGathering(
      shards, network.store, optimizer.state, isRoot: communicator.isRoot)
  }

  /// Gives all ranks the weights and running statistics of rank 0. A collective.
  func shareWeights() throws {
    try broadcast(network.store.weights.all)
    try broadcast(network.store.statisticValues.all)
    network.weightsDidChange()
    try checkReplicas("restored weights")
  }

  private func broadcast(_ view: FloatView) throws {
    try view.withUnsafeMutableBufferPointer {
      try communicator.broadcast(UnsafeMutableRawBufferPointer($0), root: 0)
    }
  }

  /// Compares the weights of all ranks.
  public func checkReplicas(_ what: String) throws {
    try communicator.checkIdentical(hash: weightHash, what: what)
  }

  private var weightHash: UInt64 {
    network.store.weights.all.withUnsafeMutableBufferPointer {
      bitHash(UnsafeBufferPointer($0))
    }
  }

  /// The most bytes that the tape has held.
  public var peakTapeBytes: Int { step.peakTapeBytes }

  /// One iteration: the method's gradients of the global batch, and a step along them, unless these are
  /// not finite: then weights, statistics and optimizer stay as they were.
  ///
  /// - Parameters:
  ///   - dataWait: seconds that this rank waited for the batch, for the metrics.
  ///   - wantsStop, wantsCheckpoint: what this rank has to say to the others.
  ///   - comparesWeights: whether the ranks compare their weights before the step; the same on all.
  /// - Returns: what all ranks measured and want together.
  /// - Throws: `ReplicaMismatch`, before the step.
  public func train(
    _ batch: Batch, learningRate: Double, dataWait: Double = 0, wantsStop: Bool = false,
    wantsCheckpoint: Bool = false, comparesWeights: Bool = false
  ) throws -> IterationOutcome {
    let store = network.store
    activity.enter(.computing, iteration: iteration + 1)
    store.reduction.all.fill(0)
    nonFiniteParameter = nil
    statisticsBefore.all.assign(store.statisticValues.all, times: 1)
    var local = accumulateGradients(batch)
    local.dataWait = dataWait
    profile?.add(.dataWait, seconds: dataWait)
    local.write(to: metricTail)
    RankReports.write(
      RankReports.Report(
        wantsStop: wantsStop, wantsCheckpoint: wantsCheckpoint,
        weightHash: comparesWeights ? weightHash : nil, nonFinite: nonFinite(local)),
      rank: communicator.rank, to: reportTail)
    // Running statistics of the ranks are averaged by their numbers of samples.
    store.statisticTail.assign(
      store.statisticValues.all, times: Float(batch.count) / Float(batch.globalCount))
    activity.enter(.reducing, iteration: iteration + 1)
    let reduceStart = ContinuousClock.now
    try exchange.finish()
    profile?.add(.reduce, since: reduceStart)
    activity.enter(.updating, iteration: iteration + 1)

    let reports = RankReports(from: reportTail)
    try reports.checkReplicas("weights before iteration \(iteration + 1)")
    iteration += 1
    var outcome = IterationOutcome(
      metrics: IterationMetrics(from: metricTail), wantsStop: reports.wantStop,
      wantsCheckpoint: reports.wantCheckpoint)
    if let nonFinite = reports.nonFinite {
      store.statisticValues.all.assign(statisticsBefore.all, times: 1)
      outcome.nonFinite = describe(nonFinite.what, rank: nonFinite.rank)
      return outcome
    }
    if communicator.size > 1 {
      store.statisticValues.all.assign(store.statisticTail, times: 1)
    }
    let updateStart = ContinuousClock.now
    if shards != nil { activity.enter(.reducing, iteration: iteration) }
    try exchange.update(optimizer, learningRate: learningRate)
    // Divided among the ranks, it is mostly their exchange.
    profile?.add(shards == nil ? .update : .reduce, since: updateStart)
    let packStart = ContinuousClock.now
    network.weightsDidChange()
    profile?.add(.update, since: packStart)
    return outcome
  }

  /// The local part of the gradients, from one micro-batch after another.
  private func accumulateGradients(_ batch: Batch) -> IterationMetrics {
    var total = IterationMetrics(convolutions: network.convolutions.count)
    let mixture = batch.mixture
    for part in batch.parts(ofAtMost: microBatch) {
      step.accumulateGradients(
        network.frames(batch, part), labels: batch.labels[part].map(Int.init),
        mixture: mixture.map {
          LabelMixture(share: $0.share, partners: $0.partnerLabels[part].map(Int.init))
        },
        globalCount: batch.globalCount,
        context: IterationContext(
          seed: seed, iteration: iteration, sampleOffset: batch.offset + part.lowerBound),
        isLast: part.upperBound == batch.count)
      total.accumulate(measured(part))
    }
    network.completeGradients()
    total.replaced = Double(batch.replaced)
    return total
  }

  /// Looks at gradients of this rank before they may be added to those of others.
  private func gradientsAreFinal(_ range: Range<Int>) {
    // What becomes final later comes earlier in the forward pass.
    if let parameter = network.store.firstNonFiniteGradient(in: range, ranks: communicator.size) {
      nonFiniteParameter = parameter
    }
    exchange.gradientsAreFinal(before: range.upperBound)
  }

  private func nonFinite(_ local: IterationMetrics) -> RankReports.NonFinite? {
    if let nonFiniteParameter { return .gradient(parameter: nonFiniteParameter) }
    // It travels as a float, and so does the sum of as large ones of all ranks.
    let limit = Double(Float.greatestFiniteMagnitude) / Double(communicator.size)
    return abs(local.loss) <= limit ? nil : .loss
  }

  private func describe(_ what: RankReports.NonFinite, rank: Int) -> String {
    let thing =
      switch what {
      case .loss: "the loss"
      case .gradient(let parameter):
        "the gradient of \(network.store.parametersInForwardOrder[parameter].name)"
      }
    return "\(thing) is not finite in iteration \(iteration) on rank \(rank)"
  }

  /// Measures the accuracy on a split, each of whose samples some rank takes exactly once.
  public func evaluate(_ loader: DataLoader) throws -> IterationMetrics {
    try evaluate(loader, stoppingWhen: nil)!
  }

  /// The same, unless a rank is asked to stop: then nil, on all ranks.
  ///
  /// - Parameter wantsStop: whether this rank is; asked for each batch, of which all ranks have as many.
  func evaluate(
    _ loader: DataLoader, stoppingWhen wantsStop: (() -> Bool)?
  ) throws -> IterationMetrics? {
    var local = IterationMetrics(convolutions: network.convolutions.count)
    loader.begin(epoch: 0)
    activity.enter(.validating, iteration: iteration)
    while let batch = try loader.next() {
      if let wantsStop, try communicator.isAny(wantsStop()) { return nil }
      for part in batch.parts(ofAtMost: microBatch) {
        activity.touch()
        step.evaluate(
          network.frames(batch, part), labels: batch.labels[part].map(Int.init),
          globalCount: loader.sampler.sampleCount)
        local.accumulate(measured(part))
      }
      local.replaced += Double(batch.replaced)
    }
    local.write(to: metricTail)
    activity.enter(.waitingForRanks, iteration: iteration)
    try exchange.reduceExactly(metricTail)
    return IterationMetrics(from: metricTail)
  }

  private func measured(_ part: Range<Int>) -> IterationMetrics {
    var metrics = IterationMetrics()
    metrics.loss = step.loss.value
    metrics.samples = Double(part.count)
    metrics.correct = Double(step.loss.correct(amongTop: 1))
    metrics.correctTop5 = Double(step.loss.correct(amongTop: 5))
    let activity = network.activity
    metrics.spikes = Double(activity.spikes)
    metrics.neuronSteps = Double(activity.neuronSteps)
    metrics.inputs = network.convolutions.map {
      .init(spikes: Double($0.inputActivity.spikes), sites: Double($0.inputActivity.sites))
    }
    return metrics
  }
}

/// What the ranks found out together in an iteration.
public struct IterationOutcome: Sendable {
  /// What they measured.
  public var metrics: IterationMetrics
  /// Whether a rank was asked to stop the run.
  public var wantsStop = false
  /// Whether a checkpoint is due on a rank.
  public var wantsCheckpoint = false
  /// What is not finite, in which iteration and on which rank; no step was taken then.
  public var nonFinite: String?
}

/// Training that cannot go on.
public struct TrainingError: Error, CustomStringConvertible {
  public let description: String
}

extension Batch {
  /// The samples in order, in parts of at most so many.
  fileprivate func parts(ofAtMost limit: Int?) -> [Range<Int>] {
    stride(from: 0, to: count, by: limit ?? max(count, 1)).map {
      $0..<min($0 + (limit ?? count), count)
    }
  }
}

extension SpikingNetwork {
  /// Some of a batch's images as the frame of every time step, or of its recordings as one for each;
  /// valid as long as the batch.
  fileprivate func frames(_ batch: Batch, _ part: Range<Int>) -> FrameSequence {
    let shape = specification.input.withSamples(batch.timesteps * batch.count)
    let frames = Tensor(viewOf: batch.frames, shape)
    return batch.timesteps == 1
      ? FrameSequence(static: frames, samples: part)
      : FrameSequence(frames, timesteps: batch.timesteps, samples: part)
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
