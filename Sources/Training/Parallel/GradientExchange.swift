import Configuration
import Distributed
import SpikingNetworks
import Support
import Tensors

/// The one logical collective of an iteration: gradients, running statistics and the trainer's numbers are
/// added up over the ranks, chunk by chunk.
///
/// Only gradients are ever rounded; what ranks must agree on travels as it is. With overlap, chunks
/// whose gradients are final go ahead on a thread of their own; they are the same chunks, added up in the
/// same way, so that the sums are the same bits.
package final class GradientExchange {
  /// A chunk of the buffer, and what becomes of it.
  private enum Step {
    /// Gradients that every rank gets the sums of.
    case reduceGradients(Range<Int>)
    /// Gradients that the ranks share out.
    case scatterGradients(Range<Int>)
    case reduceExactly(Range<Int>)

    var end: Int {
      switch self {
      case .reduceGradients(let chunk), .scatterGradients(let chunk), .reduceExactly(let chunk):
        chunk.upperBound
      }
    }
  }

  private let store: ParameterStore
  private let reducer, exactReducer: GradientReducer
  /// How the optimizer's state is divided among the ranks, if it is.
  let shards: OptimizerShards?
  private let adaptiveClipping: AdaptiveClipping?
  private let clipping: GradientClipping?
  /// In the order of the buffer and, therefore, in which gradients become final.
  private let steps: [Step]
  private var background: BackgroundSequence?
  /// Why there is no overlap although it is configured.
  private let obstacle: String?

  /// - Parameter chunkLength: floats that are added up at once.
  init(
    _ network: SpikingNetwork, _ configuration: Configuration, chunkLength: Int,
    _ communicator: any Communicator
  ) {
    let store = network.store
    self.store = store
    adaptiveClipping = configuration.optimizer.adaptiveClipping.map {
      AdaptiveClipping($0, store, classifier: network.head)
    }
    clipping = configuration.optimizer.clipNorm.map { GradientClipping(largestNorm: $0) }
    let options = configuration.distributed
    let overlaps = options.overlaps && communicator.supportsThreads
    obstacle =
      options.overlaps && !overlaps
      ? "after the backward pass: overlap needs an MPI with MPI_THREAD_MULTIPLE" : nil
    let reducer = GradientReducer(
      communicator: communicator, chunkLength: chunkLength, wire: options.wire)
    let exactReducer = GradientReducer(communicator: communicator, chunkLength: chunkLength)
    (self.reducer, self.exactReducer) = (reducer, exactReducer)
    let (gradients, all) = (store.weights.count, store.reduction.count)
    guard communicator.size > 1 else {
      (shards, steps) = (nil, [])
      return
    }
    if configuration.optimizer.isSharded {
      let shards = OptimizerShards(count: gradients, reducer)
      // By itself, a chunk is shared out when it is used, while it is in the cache.
      let divided = overlaps ? shards.chunks.map(Step.scatterGradients) : []
      steps = divided + exactReducer.chunks(of: shards.dividedCount..<all).map(Step.reduceExactly)
      self.shards = shards
    } else {
      steps =
        switch options.wire {
        case .float32: exactReducer.chunks(of: 0..<all).map(Step.reduceExactly)
        case .bfloat16:
          reducer.chunks(of: 0..<gradients).map(Step.reduceGradients)
            + exactReducer.chunks(of: gradients..<all).map(Step.reduceExactly)
        }
      shards = nil
    }
    if overlaps {
      background = BackgroundSequence { [unowned self] in try perform(steps[$0]) }
    }
  }

  /// How gradients are added up, for the record.
  package var reduction: RunState.Reduction {
    let divided =
      switch reducer.wire {
      case .float32: "MPI_Reduce_scatter_block and MPI_Allgather, by chunks"
      case .bfloat16:
        "MPI_Alltoall of bfloat16, added up in float32, and MPI_Allgather of weights, by chunks"
      }
    return RunState.Reduction(
      algorithm: shards == nil ? reducer.algorithm : divided, chunkLength: reducer.chunkLength)
  }

  /// Whether the ranks exchange gradients and weights also in the update.
  package var isUpdateShared: Bool { shards != nil }

  /// The same in a few words, for people.
  var summary: String {
    steps.isEmpty
      ? "none"
      : "\(Format.bytes(reducedBytes)) an iteration, gradients in \(reducer.wire.rawValue)"
        + (background == nil ? "" : ", during the last backward pass")
        + (obstacle.map { ", " + $0 } ?? "")
  }

  /// Bytes whose all-reduce sends as much as an iteration does. Of divided weights, half of that are
  /// gradients on their way to the sums, and half the new weights.
  package var reducedBytes: Int {
    let wire = reducer.wire.bytes
    let (gradients, bytes) =
      shards.map { ($0.dividedCount, (wire + 4) / 2) }
      ?? (store.weights.count, wire)
    let exact =
      store.reduction.count - gradients + (shards == nil ? 0 : adaptiveClipping?.unitCount ?? 0)
    return gradients * bytes + exact * 4
  }

  /// Seconds in which chunks were added up while the rank computed.
  package var hiddenSeconds: Double { background?.hiddenSeconds ?? 0 }

  /// Says that the first `count` gradients are final.
  package func gradientsAreFinal(before count: Int) {
    guard let background else { return }
    background.allow(before: steps.firstIndex { $0.end > count } ?? steps.count)
  }

  /// Completes the sums: all but those of gradients that are shared out in the update. A collective.
  ///
  /// - Throws: `MPIError`.
  package func finish() throws {
    if let background {
      try background.finish(before: steps.count)
    } else {
      for step in steps { try perform(step) }
    }
  }

  /// Sums a few numbers, which are rounded in no case. A collective.
  func reduceExactly(_ view: FloatView) throws {
    try view.withUnsafeMutableBufferPointer { try exactReducer.reduce($0) }
  }

  private func perform(_ step: Step) throws {
    switch step {
    case .reduceGradients(let chunk):
      try store.reduction[chunk].withUnsafeMutableBufferPointer { try reducer.reduce($0) }
    case .scatterGradients(let chunk):
      try shards!.reduceOwnPart(of: chunk, store.gradients)
    case .reduceExactly(let chunk):
      try reduceExactly(store.reduction[chunk])
    }
  }

  /// Updates the weights by the sums, clipped if that is configured. A collective if the optimizer is
  /// divided.
  ///
  /// - Parameter measuresNorm: whether the gradient's norm is wanted also where none is needed to clip it.
  /// - Returns: that norm, before the gradient is clipped by it.
  package func update(
    _ optimizer: any ParameterOptimizer, learningRate: Double, measuresNorm: Bool
  ) throws -> Double? {
    let (weights, gradients) = (store.weights.all, store.gradients)
    let measuresNorm = measuresNorm || clipping != nil
    guard let shards else {
      adaptiveClipping?.clip(gradients, of: weights)
      let norm = measuresNorm ? gradients.norm : nil
      if let clipping, let norm { clipping.clip([gradients], norm: norm) }
      optimizer.update(weights, along: gradients, learningRate: learningRate)
      return norm
    }
    var isReduced = background != nil
    if !isReduced && (adaptiveClipping != nil || measuresNorm) {
      for chunk in shards.chunks { try shards.reduceOwnPart(of: chunk, gradients) }
      isReduced = true
    }
    try adaptiveClipping?.clip(gradients, of: weights, shards, exactReducer)
    let norm = try measuresNorm ? shards.norm(of: gradients, reducer.communicator) : nil
    if let clipping, let norm {
      let shared = gradients[shards.dividedCount..<gradients.count]
      clipping.clip(shards.ownParts(of: gradients) + [shared], norm: norm)
    }
    try shards.update(
      weights, along: gradients, optimizer, learningRate: learningRate, isReduced: isReduced)
    return norm
  }
}
