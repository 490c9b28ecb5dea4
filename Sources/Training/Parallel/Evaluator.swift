import Datasets
import Distributed
import SpikingNetworks
import Tensors

/// Measures the accuracy of replicas on a split, all ranks together.
public struct Evaluator {
  let replica: Replica
  let pass: LocalPass

  /// What a split gives, each of whose samples some rank takes exactly once. A collective.
  public func evaluate(_ loader: DataLoader) throws -> IterationMetrics {
    try evaluate(loader, iteration: 0, stoppingWhen: nil)!
  }

  /// The same, unless a rank is asked to stop: then nil, on all ranks.
  ///
  /// - Parameters:
  ///   - iteration: after which this is, for messages.
  ///   - wantsStop: whether this rank is asked to; looked at for each batch, of which all ranks have as
  ///     many.
  ///   - observe: is given the number of each batch, from 1, when it is done.
  func evaluate(
    _ loader: DataLoader, iteration: Int, stoppingWhen wantsStop: (() -> Bool)?,
    observe: (_ batch: Int) -> Void = { _ in }
  ) throws -> IterationMetrics? {
    var local = tail.nothing
    replica.network.observeFired()
    let isComplete = try forEachBatch(loader, iteration: iteration, stoppingWhen: wantsStop) {
      pass.evaluate($0, globalCount: $1, into: &local, progress: $2)
      observe($0.iteration + 1)
    }
    let fired = replica.network.takeFired()
    return isComplete ? try sum(local, fired: fired) : nil
  }

  /// All that the subcommand `evaluate` tells of a split. A collective.
  ///
  /// - Parameters:
  ///   - classes: of the split.
  ///   - observeBatch: is given the number of each batch, from 1, when it is done.
  ///   - observe: is given each sample of this rank while its batch is there.
  func evaluateInDetail(
    _ loader: DataLoader, classes: Int, observeBatch: (_ batch: Int) -> Void = { _ in },
    observe: LocalPass.SampleObserver = { _, _, _, _ in }
  ) throws -> EvaluationMetrics {
    var local = EvaluationMetrics(
      nothing: tail.nothing, classes: classes, outputs: replica.network.specification.classes,
      timesteps: pass.step.timesteps)
    replica.network.observeFired()
    try forEachBatch(loader) {
      pass.evaluate($0, globalCount: $1, into: &local, progress: $2, observe: observe)
      observeBatch($0.iteration + 1)
    }
    let fired = replica.network.takeFired()
    return try local.together(replica.communicator) { try sum($0, fired: fired) }
  }

  /// What a split gives the network as it is and unrolled, and how far the two agree. A collective.
  ///
  /// - Parameter observeBatch: is given the number of each batch, from 1, when it is done.
  func compareUnrolled(
    _ loader: DataLoader, observeBatch: (_ batch: Int) -> Void = { _ in }
  ) throws -> UnrollingMetrics {
    let tail = tail
    var local = UnrollingMetrics(nothing: tail.nothing)
    try forEachBatch(loader) {
      pass.compareUnrolled($0, globalCount: $1, into: &local, progress: $2)
      observeBatch($0.iteration + 1)
    }
    return try local.together(replica.communicator) { try tail.sum($0, replica.exchange) }
  }

  /// Goes through a split with the weights that the network is judged by, unless a rank is asked to stop.
  ///
  /// - Parameters:
  ///   - iteration, wantsStop: as of `evaluate`.
  ///   - body: is given each batch, the number of all samples, and what to call as it gets on.
  /// - Returns: whether it came to the end.
  @discardableResult
  private func forEachBatch(
    _ loader: DataLoader, iteration: Int? = nil, stoppingWhen wantsStop: (() -> Bool)? = nil,
    _ body: (Batch, _ globalCount: Int, _ progress: () -> Void) -> Void
  ) throws -> Bool {
    let communicator = replica.communicator
    let activity = communicator.activity
    loader.begin(epoch: 0)
    activity.enter(.validating, iteration: iteration)
    let isComplete = try replica.withPublishedWeights {
      while let batch = try loader.next() {
        if let wantsStop, try communicator.isAny(wantsStop()) { return false }
        body(batch, loader.sampler.sampleCount, activity.touch)
      }
      return true
    }
    if isComplete { activity.enter(.waitingForRanks, iteration: iteration) }
    return isComplete
  }

  /// What all ranks measured. A collective.
  ///
  /// - Parameter fired: the neurons that have fired on this rank, by layer.
  private func sum(_ local: IterationMetrics, fired: [FiredNeurons]) throws -> IterationMetrics {
    var all = try tail.sum(local, replica.exchange)
    try all.enter(fired: replica.communicator.unite(fired))
    return all
  }

  private var tail: ReductionTail {
    ReductionTail(of: replica.network, timesteps: pass.step.timesteps)
  }
}

extension Communicator {
  /// The neurons that have fired on any rank, by layer. A collective.
  fileprivate func unite(_ fired: [FiredNeurons]) throws -> [FiredNeurons] {
    var all = fired.flatMap(\.words)
    try unite(&all)
    var rest = all[...]
    return fired.map { layer in
      var layer = layer
      layer.words = Array(rest.prefix(layer.words.count))
      rest = rest.dropFirst(layer.words.count)
      return layer
    }
  }
}
