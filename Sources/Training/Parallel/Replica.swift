import Distributed
import SpikingNetworks
import Support
import Tensors

/// One rank's copy of the network, with its optimizer or its part of that: after every iteration all ranks
/// have the same weights and running statistics.
public final class Replica {
  public let network: SpikingNetwork
  public let optimizer: any ParameterOptimizer
  package let exchange: GradientExchange
  let communicator: any Communicator

  init(
    _ network: SpikingNetwork, _ optimizer: any ParameterOptimizer, _ exchange: GradientExchange,
    _ communicator: any Communicator
  ) {
    (self.network, self.optimizer) = (network, optimizer)
    (self.exchange, self.communicator) = (exchange, communicator)
  }

  /// Of the weights' bits.
  var weightHash: UInt64 {
    network.store.weights.all.withUnsafeMutableBufferPointer {
      XXHash64.hash(UnsafeRawBufferPointer($0))
    }
  }

  /// Compares the weights of all ranks. A collective.
  ///
  /// - Throws: `ReplicaMismatch`.
  public func checkWeights(_ what: String) throws {
    try communicator.checkIdentical(hash: weightHash, what: what)
  }

  /// Runs `body` while the network has the weights that it is to be judged and published by, and the
  /// optimizer's state has the trained ones in their place. A collective where that state is divided among
  /// the ranks.
  func withPublishedWeights<Result>(_ body: () throws -> Result) throws -> Result {
    guard let published = optimizer.publishedWeights else { return try body() }
    try swapWeights(with: published)
    let result = try body()
    try swapWeights(with: published)
    return result
  }

  func swapWeights(with state: FloatView) throws {
    let weights = network.store.weights.all
    if let shards = exchange.shards {
      try shards.swap(weights, with: state)
    } else {
      weights.swap(with: state)
    }
    network.weightsDidChange()
  }

  /// Gives all ranks the weights and running statistics of rank 0. A collective.
  func shareWeights() throws {
    try communicator.broadcast(network.store.weights.all)
    try communicator.broadcast(network.store.statisticValues.all)
    network.weightsDidChange()
    try checkWeights("restored weights")
  }
}

extension Communicator {
  /// Gives all ranks the floats of rank 0. A collective.
  func broadcast(_ view: FloatView) throws {
    try view.withUnsafeMutableBufferPointer {
      try broadcast(UnsafeMutableRawBufferPointer($0), root: 0)
    }
  }
}
