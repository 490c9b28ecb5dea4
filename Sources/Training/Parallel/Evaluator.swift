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
    var local = IterationMetrics(convolutions: replica.network.convolutions.count)
    loader.begin(epoch: 0)
    activity.enter(.validating, iteration: iteration)
    let isComplete = try replica.withPublishedWeights {
      while let batch = try loader.next() {
        if let wantsStop, try communicator.isAny(wantsStop()) { return false }
        pass.evaluate(
          batch, globalCount: loader.sampler.sampleCount, into: &local, progress: activity.touch)
      }
      return true
    }
    guard isComplete else { return nil }
    activity.enter(.waitingForRanks, iteration: iteration)
    return try sum(local)
  }

  /// What a split gives the network as it is and unrolled, and how far the two agree. A collective.
  func compareUnrolled(_ loader: DataLoader) throws -> UnrollingMetrics {
    let communicator = replica.communicator
    let activity = communicator.activity
    var local = UnrollingMetrics(convolutions: replica.network.convolutions.count)
    loader.begin(epoch: 0)
    activity.enter(.validating)
    try replica.withPublishedWeights {
      while let batch = try loader.next() {
        pass.compareUnrolled(
          batch, globalCount: loader.sampler.sampleCount, into: &local, progress: activity.touch)
      }
    }
    activity.enter(.waitingForRanks)
    return try local.together(communicator, sum: sum)
  }

  /// The sum of what all ranks measured. A collective.
  private func sum(_ local: IterationMetrics) throws -> IterationMetrics {
    let tail = ReductionTail(of: replica.network)
    local.write(to: tail.metrics)
    try replica.exchange.reduceExactly(tail.metrics)
    return IterationMetrics(from: tail.metrics)
  }
}
