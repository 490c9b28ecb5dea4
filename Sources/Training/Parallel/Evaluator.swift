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
  func evaluate(
    _ loader: DataLoader, iteration: Int, stoppingWhen wantsStop: (() -> Bool)?
  ) throws -> IterationMetrics? {
    let communicator = replica.communicator
    let activity = communicator.activity
    let tail = tail
    var local = tail.nothing
    loader.begin(epoch: 0)
    activity.enter(.validating, iteration: iteration)
    replica.network.observeFired()
    let isComplete = try replica.withPublishedWeights {
      while let batch = try loader.next() {
        if let wantsStop, try communicator.isAny(wantsStop()) { return false }
        pass.evaluate(
          batch, globalCount: loader.sampler.sampleCount, into: &local, progress: activity.touch)
      }
      return true
    }
    let fired = replica.network.takeFired()
    guard isComplete else { return nil }
    activity.enter(.waitingForRanks, iteration: iteration)
    var all = try tail.sum(local, replica.exchange)
    try all.enter(fired: communicator.unite(fired))
    return all
  }

  /// What a split gives the network as it is and unrolled, and how far the two agree. A collective.
  func compareUnrolled(_ loader: DataLoader) throws -> UnrollingMetrics {
    let communicator = replica.communicator
    let activity = communicator.activity
    let tail = tail
    var local = UnrollingMetrics(nothing: tail.nothing)
    loader.begin(epoch: 0)
    activity.enter(.validating)
    try replica.withPublishedWeights {
      while let batch = try loader.next() {
        pass.compareUnrolled(
          batch, globalCount: loader.sampler.sampleCount, into: &local, progress: activity.touch)
      }
    }
    activity.enter(.waitingForRanks)
    return try local.together(communicator) { try tail.sum($0, replica.exchange) }
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
