import Distributed
import SpikingNetworks
import Tensors

extension Replica {
  /// Puts all replicas where a run stood. A collective; only rank 0 reads files.
  ///
  /// - Parameter checkpoint: on rank 0.
  func restore(_ checkpoint: Checkpoint?) throws {
    if let shards = exchange.shards {
      try restore(checkpoint, shards)
    } else {
      try checkpoint?.restore(network, optimizer.state)
      for (_, values) in optimizer.state { try communicator.broadcast(values) }
    }
    var updates = UInt64(checkpoint?.state.updates ?? 0)
    try withUnsafeMutableBytes(of: &updates) { try communicator.broadcast($0, root: 0) }
    optimizer.updates = Int(updates)
    try shareWeights()
    // The model's file has the published weights, and the optimizer's the trained ones.
    if let published = optimizer.publishedWeights { try swapWeights(with: published) }
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
    guard let shards = exchange.shards else { return nil }
    guard try communicator.broadcast(isWanted ? [1] : [], root: 0) == [1] else { return nil }
    return OptimizerGathering(
      shards, network.store, optimizer.state, isRoot: communicator.isRoot)
  }
}
