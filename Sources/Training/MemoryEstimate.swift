import SpikingNetworks
import Tensors

/// The memory that a rank is expected to need, from the network's shape alone.
public struct MemoryEstimate: Sendable {
  /// Weights, their gradients, the optimizer's state and packed copies.
  public let parameterBytes: Int
  /// What the tape holds at its fullest.
  public let tapeBytes: Int
  /// State that passes from one time step to the next, besides what the tape holds.
  public let stateBytes: Int
  /// Tensors that live while a layer works.
  public let temporaryBytes: Int
  /// Batches decoded ahead.
  public let loaderBytes: Int

  /// The program with its libraries, before it has a network.
  static let programBytes = 48 << 20

  /// - Parameters:
  ///   - samples: local samples of an iteration.
  ///   - window: time steps that the tape holds at once.
  public init(
    _ network: SpikingNetwork, samples: Int, window: Int, optimizerBuffers: Int,
    batchesAhead: Int = 3
  ) {
    let summaries = network.layers.map(\.summary)
    let parameters = network.store.weights.count
    parameterBytes =
      (parameters * (1 + optimizerBuffers) + network.store.reduction.count) * 4
      + summaries.reduce(0) { $0 + $1.packedBytes }
    tapeBytes = samples * window * summaries.reduce(0) { $0 + $1.tapeBytes }
    // Gradients that flow back through time are as large as the state.
    stateBytes =
      samples
      * summaries.filter { !$0.tapeHoldsState || window > 1 }.reduce(0) { $0 + $1.stateBytes }
    // A layer's input unpacked, its output, and the gradient of either.
    let largest = summaries.map { $0.output.withSamples(samples).count * 4 }.max() ?? 0
    temporaryBytes = 3 * largest
    loaderBytes = batchesAhead * network.specification.input.withSamples(samples).count * 4
  }

  /// In all.
  public var totalBytes: Int {
    Self.programBytes + parameterBytes + tapeBytes + stateBytes + temporaryBytes + loaderBytes
  }
}
