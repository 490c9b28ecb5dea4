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
    // On one thread, as this may run beside the backward pass.
    gradients[mine].withUnsafeMutableBufferPointer { part in
      sum.withUnsafeMutableBufferPointer { _ = part.update(from: $0) }
    }
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

  /// Swaps all weights with a buffer of state that is laid out as they are. A collective.
  func swap(_ weights: FloatView, with state: FloatView) throws {
    for chunk in chunks {
      let mine = weights[part(of: chunk)]
      let start = stateOffset(of: chunk)
      mine.swap(with: state[start..<start + mine.count])
      try share(weights[chunk])
    }
    weights[dividedCount..<count].swap(with: state[sharedState(of: dividedCount..<count)])
  }

  /// Collects the state of a range of weights on rank 0. A collective.
  ///
  /// - Parameters:
  ///   - state: this rank's.
  ///   - values: of the range, on rank 0.
  func gather(_ range: Range<Int>, of state: FloatView, into values: FloatView?) throws {
    for piece in pieces(of: range) {
      try state[piece.own].withUnsafeMutableBufferPointer { own in
        try withElements(values?[piece.place]) {
          try communicator.gatherOnRoot(UnsafeBufferPointer(own), counts: piece.counts, into: $0)
        }
      }
    }
    let shared = range.clamped(to: dividedCount..<count)
    values?[place(of: shared, in: range)].assign(state[sharedState(of: shared)], times: 1)
  }

  /// Gives the ranks their parts of the state of a range of weights. A collective.
  ///
  /// - Parameters:
  ///   - values: of the range, on rank 0.
  ///   - state: this rank's.
  func scatter(_ values: FloatView?, of range: Range<Int>, into state: FloatView) throws {
    for piece in pieces(of: range) {
      try state[piece.own].withUnsafeMutableBufferPointer { own in
        try withElements(values?[piece.place]) {
          try communicator.scatterFromRoot(
            $0.map { UnsafeBufferPointer($0) }, counts: piece.counts, into: own)
        }
      }
    }
    let shared = range.clamped(to: dividedCount..<count)
    let own = state[sharedState(of: shared)]
    if let values { own.assign(values[place(of: shared, in: range)], times: 1) }
    try own.withUnsafeMutableBufferPointer {
      try communicator.broadcast(UnsafeMutableRawBufferPointer($0), root: 0)
    }
  }

  /// What of a range lies in one chunk.
  private struct Piece {
    /// In the range.
    let place: Range<Int>
    /// This rank's part, in its state.
    let own: Range<Int>
    /// Elements of each rank's part.
    let counts: [Int]
  }

  private func pieces(of range: Range<Int>) -> [Piece] {
    let first = range.lowerBound / chunkLength * chunkLength
    return stride(from: first, to: min(range.upperBound, dividedCount), by: chunkLength).map {
      let chunk = $0..<min($0 + chunkLength, dividedCount)
      let wanted = range.clamped(to: chunk)
      let parts = (0..<communicator.size).map { part(of: chunk, rank: $0).clamped(to: wanted) }
      let own = parts[communicator.rank]
      let offset = stateOffset(of: chunk) - part(of: chunk).lowerBound
      return Piece(
        place: place(of: wanted, in: range),
        // An empty part may be clamped to a place that is not this rank's.
        own: own.isEmpty ? 0..<0 : own.lowerBound + offset..<own.upperBound + offset,
        counts: parts.map(\.count))
    }
  }

  private func place(of part: Range<Int>, in range: Range<Int>) -> Range<Int> {
    part.isEmpty
      ? 0..<0 : part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound
  }

  /// Where the state of weights lies that are everybody's.
  private func sharedState(of range: Range<Int>) -> Range<Int> {
    let offset = stateCount - count
    return range.isEmpty ? 0..<0 : range.lowerBound + offset..<range.upperBound + offset
  }

  private func withElements(
    _ values: FloatView?, _ body: (UnsafeMutableBufferPointer<Float>?) throws -> Void
  ) throws {
    guard let values else { return try body(nil) }
    try values.withUnsafeMutableBufferPointer(body)
  }

  /// In the order of the weights.
  var chunks: [Range<Int>] {
    stride(from: 0, to: dividedCount, by: chunkLength).map {
      $0..<min($0 + chunkLength, dividedCount)
    }
  }

  /// This rank's part of a chunk.
  func part(of chunk: Range<Int>) -> Range<Int> {
    part(of: chunk, rank: communicator.rank)
  }

  private func part(of chunk: Range<Int>, rank: Int) -> Range<Int> {
    let length = chunk.count / communicator.size
    let start = chunk.lowerBound + rank * length
    return start..<start + length
  }

  private func stateOffset(of chunk: Range<Int>) -> Int { chunk.lowerBound / communicator.size }

  private func share(_ chunk: FloatView) throws {
    try chunk.withUnsafeMutableBufferPointer {
      try communicator.allGatherParts(UnsafeMutableRawBufferPointer($0))
    }
  }
}
