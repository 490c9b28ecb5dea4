import Distributed
import Tensors

/// The update of the weights with the optimizer's state divided among the ranks (Rajbhandari et al.,
/// "ZeRO", SC 2020, stage 1): every rank adds up its parts of the gradients, updates its parts of the
/// weights, and gives these to the others. On the wire that is as much as an all-reduce.
///
/// Gradients go chunk by chunk, so that a chunk stays in the cache while it is reduced, used and handed
/// on. Each chunk is divided evenly, rank by rank. The few weights at the end that cannot be divided
/// evenly belong to every rank.
struct OptimizerShards {
  private let reducer: GradientReducer
  private let chunkLength: Int
  /// Weights that are divided; those after them are everybody's.
  let dividedCount: Int
  private let count: Int
  private let own: FlatBuffer

  /// - Parameters:
  ///   - count: of the weights.
  ///   - reducer: adds up gradients, in chunks of at most its length.
  init(count: Int, _ reducer: GradientReducer) {
    let ranks = reducer.communicator.size
    self.reducer = reducer
    self.count = count
    chunkLength = max(reducer.chunkLength / ranks, 1) * ranks
    dividedCount = count / ranks * ranks
    own = FlatBuffer(count: chunkLength / ranks)
  }

  private var communicator: any Communicator { reducer.communicator }

  /// Elements of the optimizer's state on a rank.
  var stateCount: Int { dividedCount / communicator.size + (count - dividedCount) }

  /// Replaces this rank's part of a chunk by its sum over all ranks; the rest stays. A collective.
  func reduceOwnPart(of chunk: Range<Int>, _ gradients: FloatView) throws {
    let mine = part(of: chunk)
    let sum = own[0..<mine.count]
    try gradients[chunk].withUnsafeMutableBufferPointer { values in
      try sum.withUnsafeMutableBufferPointer {
        try reducer.reduceScatter(UnsafeBufferPointer(values), into: $0)
      }
    }
    gradients[mine].assign(sum, times: 1)
  }

  /// One update along the sum of the ranks' gradients. A collective.
  ///
  /// - Parameters:
  ///   - gradients: of this rank, but summed over all ranks where they are everybody's.
  ///   - optimizer: with `stateCount` elements of state.
  ///   - isReduced: whether the ranks' own parts of all chunks are sums already.
  func update(
    _ weights: FloatView, along gradients: FloatView, _ optimizer: any ParameterOptimizer,
    learningRate: Double, isReduced: Bool
  ) throws {
    optimizer.updates += 1
    for chunk in chunks {
      let mine = part(of: chunk)
      if !isReduced { try reduceOwnPart(of: chunk, gradients) }
      optimizer.update(
        weights[mine], along: gradients[mine], state: stateOffset(of: chunk),
        learningRate: learningRate)
      try share(weights[chunk])
    }
    optimizer.update(
      weights[dividedCount..<count], along: gradients[dividedCount..<count],
      state: stateCount - (count - dividedCount), learningRate: learningRate)
  }

  /// State of the whole network from the ranks' parts. A collective; all ranks get it.
  func gather(_ state: FloatView) throws -> FlatBuffer {
    let whole = FlatBuffer(count: count)
    for chunk in chunks {
      let mine = part(of: chunk)
      whole[mine].assign(state[statePart(of: chunk)], times: 1)
      try share(whole[chunk])
    }
    whole[dividedCount..<count].assign(state[sharedState], times: 1)
    return whole
  }

  /// Takes this rank's parts of the state of the whole network.
  func take(from whole: FloatView, into state: FloatView) {
    for chunk in chunks {
      state[statePart(of: chunk)].assign(whole[part(of: chunk)], times: 1)
    }
    state[sharedState].assign(whole[dividedCount..<count], times: 1)
  }

  /// In the order of the weights.
  var chunks: [Range<Int>] {
    stride(from: 0, to: dividedCount, by: chunkLength).map {
      $0..<min($0 + chunkLength, dividedCount)
    }
  }

  /// This rank's part of a chunk.
  private func part(of chunk: Range<Int>) -> Range<Int> {
    let length = chunk.count / communicator.size
    let start = chunk.lowerBound + communicator.rank * length
    return start..<start + length
  }

  private func stateOffset(of chunk: Range<Int>) -> Int { chunk.lowerBound / communicator.size }

  private func statePart(of chunk: Range<Int>) -> Range<Int> {
    stateOffset(of: chunk)..<stateOffset(of: chunk) + chunk.count / communicator.size
  }

  private var sharedState: Range<Int> { dividedCount / communicator.size..<stateCount }

  private func share(_ chunk: FloatView) throws {
    try chunk.withUnsafeMutableBufferPointer {
      try communicator.allGatherParts(UnsafeMutableRawBufferPointer($0))
    }
  }
}
