import Configuration
import Datasets
import Distributed
import SpikingNetworks
import Support
import Tensors

/// Trains a replica of the network on one rank of a data-parallel job.
///
/// Each iteration takes this rank's part of the global batch, adds up gradients over the time steps, and
/// makes one exchange, of gradients, running statistics and metrics together (see `GradientExchange`); then
/// every rank makes the same update.
public final class DataParallelTrainer {
  public let replica: Replica
  /// Measures the replica's accuracy.
  public let evaluator: Evaluator
  /// Whose outputs the network learns besides.
  let teacher: Teacher?
  private let seed: UInt64
  private let pass: LocalPass
  private let tail: ReductionTail
  private let profile: StepProfile?
  /// Running statistics as they were before an iteration.
  private let statisticsBefore: FlatBuffer
  /// The first parameter, in the order of the forward pass, whose gradient on this rank is not finite.
  private var nonFiniteParameter: Int?

  /// Iterations so far.
  public internal(set) var iteration = 0

  /// - Parameters:
  ///   - teacher: where the network is that this one is to learn from besides.
  ///   - profile: where the trainer notes how long things take.
  ///   - chunkLength: floats that are added up over the ranks at once.
  /// - Throws: `NetworkError`; `ReplicaMismatch` unless all ranks start from the same weights; what keeps the
  ///   teacher from being read.
  package init(
    _ configuration: Configuration, network specification: NetworkSpecification,
    teacher teacherCheckpoint: TeacherCheckpoint? = nil, backend: ConvolutionBackend,
    _ communicator: any Communicator, profile: StepProfile? = nil,
    chunkLength: Int = GradientReducer.defaultChunkLength
  ) throws {
    self.profile = profile
    seed = configuration.training.seed
    let timesteps = configuration.method.timesteps
    let network = try SpikingNetwork(
      specification, backend: backend, seed: seed,
      tailCount: { ReductionTail.count($0, timesteps: timesteps, ranks: communicator.size) },
      profile: profile)
    let exchange = GradientExchange(
      network, configuration, chunkLength: chunkLength, communicator)
    let optimizer = configuration.makeOptimizer(
      count: exchange.shards?.stateCount ?? network.store.weights.count)
    replica = Replica(network, optimizer, exchange, communicator)
    teacher = try teacherCheckpoint?.load(backend, arena: network.arena, communicator)
    pass = LocalPass(
      network: network,
      step: TrainingStep(
        network, configuration.method.rule, loss: configuration.lossSpecification,
        teacher: teacher),
      microBatch: configuration.training.microBatch)
    evaluator = Evaluator(replica: replica, pass: pass)
    tail = ReductionTail(of: network, timesteps: timesteps)
    statisticsBefore = FlatBuffer(count: network.store.statisticValues.count)
    // What making the network took for a while.
    releaseFreedMemory()
    network.onFinishedGradients = { [unowned self] in gradientsAreFinal($0) }
    try replica.checkWeights("initial weights")
  }

  public var network: SpikingNetwork { replica.network }
  private var communicator: any Communicator { replica.communicator }
  private var activity: ActivityRecord { communicator.activity }
  private var exchange: GradientExchange { replica.exchange }

  /// The most bytes that the tape has held.
  public var peakTapeBytes: Int { pass.step.peakTapeBytes }

  /// One iteration: the method's gradients of the global batch, and the update by them, unless these are
  /// not finite: then weights, statistics and optimizer stay as they were.
  ///
  /// - Parameters:
  ///   - dataWait: seconds that this rank waited for the batch, for the metrics.
  ///   - wantsStop, wantsCheckpoint: what this rank has to say to the others.
  ///   - comparesWeights: whether the ranks compare their weights before the update; the same on all.
  ///   - measuresNorm: whether the gradient's norm is wanted; the same on all.
  /// - Returns: what all ranks measured and want together.
  /// - Throws: `ReplicaMismatch`, before the update.
  public func train(
    _ batch: Batch, learningRate: Double, dataWait: Double = 0, wantsStop: Bool = false,
    wantsCheckpoint: Bool = false, comparesWeights: Bool = false, measuresNorm: Bool = false
  ) throws -> IterationOutcome {
    let store = network.store
    activity.enter(.computing, iteration: iteration + 1)
    store.reduction.all.fill(0)
    nonFiniteParameter = nil
    statisticsBefore.all.assign(store.statisticValues.all, times: 1)
    var local = pass.accumulateGradients(
      of: batch, seed: seed, iteration: iteration, progress: activity.touch)
    local.dataWait = dataWait
    profile?.add(.dataWait, seconds: dataWait)
    tail.write(local)
    RankReports.write(
      RankReports.Report(
        wantsStop: wantsStop, wantsCheckpoint: wantsCheckpoint,
        weightHash: comparesWeights ? replica.weightHash : nil, nonFinite: nonFinite(local)),
      rank: communicator.rank, to: tail.reports)
    network.gatherStatistics(share: Float(batch.count) / Float(batch.globalCount))
    activity.enter(.reducing, iteration: iteration + 1)
    let reduceStart = ContinuousClock.now
    try exchange.finish()
    profile?.add(.reduce, since: reduceStart)
    activity.enter(.updating, iteration: iteration + 1)

    let reports = RankReports(from: tail.reports)
    try reports.checkReplicas("weights before iteration \(iteration + 1)")
    iteration += 1
    var outcome = IterationOutcome(
      metrics: tail.metrics, wantsStop: reports.wantStop,
      wantsCheckpoint: reports.wantCheckpoint)
    if let nonFinite = reports.nonFinite {
      store.statisticValues.all.assign(statisticsBefore.all, times: 1)
      outcome.nonFinite = describe(nonFinite.what, rank: nonFinite.rank)
      return outcome
    }
    network.updateStatistics()
    outcome.gradientNorm = try update(learningRate: learningRate, measuresNorm: measuresNorm)
    return outcome
  }

  private func update(learningRate: Double, measuresNorm: Bool) throws -> Double? {
    let updateStart = ContinuousClock.now
    let isDivided = exchange.shards != nil
    if isDivided { activity.enter(.reducing, iteration: iteration) }
    let norm = try exchange.update(
      replica.optimizer, learningRate: learningRate, measuresNorm: measuresNorm)
    // Divided among the ranks, it is mostly their exchange.
    profile?.add(isDivided ? .reduce : .update, since: updateStart)
    let packStart = ContinuousClock.now
    network.weightsDidChange()
    profile?.add(.update, since: packStart)
    return norm
  }

  /// Looks at gradients of this rank before they may be added to those of others.
  private func gradientsAreFinal(_ range: Range<Int>) {
    // As large ones of all ranks are added up.
    let largest = replica.optimizer.largestGradient / Float(communicator.size)
    // What becomes final later comes earlier in the forward pass.
    if let parameter = network.store.firstNonFiniteGradient(in: range, largest: largest) {
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
}

/// What the ranks found out together in an iteration.
public struct IterationOutcome: Sendable {
  /// What they measured.
  public var metrics: IterationMetrics
  /// Whether a rank was asked to stop the run.
  public var wantsStop = false
  /// Whether a checkpoint is due on a rank.
  public var wantsCheckpoint = false
  /// What is not finite, in which iteration and on which rank; no update was made then.
  public var nonFinite: String?
  /// Of all parameters together, before it was clipped by that; nil where it was not measured.
  public var gradientNorm: Double?
}
