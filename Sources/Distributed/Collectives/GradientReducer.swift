/// Sums one flat buffer of gradients over all ranks, in place.
///
/// Every rank must reduce buffers of the same length with the same `chunkLength` and `wire`, and issue the
/// same collectives in the same order, or the job hangs. Use it from one thread at a time.
///
/// The buffer goes through blocking all-reduces of one chunk each: a chunk stays in the cache while
/// MPI copies and adds it, which takes half the time of one large all-reduce. (Open MPI makes no
/// progress on its own, so non-blocking calls behind a busy CPU gain nothing.)
///
/// All ranks receive the same bits, and the same bits in every run with the same number of ranks and
/// the same `chunkLength`; other numbers of ranks may round differently, and in float32 so may other
/// chunk lengths.
public struct GradientReducer: Sendable {
  /// About 1.6 MB.
  public static let defaultChunkLength = 400_000

  public let communicator: any Communicator
  /// The number of floats in one all-reduce.
  public let chunkLength: Int
  /// The numbers that travel.
  public let wire: WireFormat
  private let rounded: RoundedReduction?

  public init(
    communicator: any Communicator, chunkLength: Int = defaultChunkLength,
    wire: WireFormat = .float32
  ) {
    precondition(chunkLength > 0, "a chunk holds at least one float, not \(chunkLength)")
    self.communicator = communicator
    self.chunkLength = chunkLength
    self.wire = wire
    rounded =
      wire == .bfloat16 && communicator.size > 1
      ? RoundedReduction(communicator, capacity: chunkLength) : nil
  }

  /// How sums come about, for the record.
  public var algorithm: String {
    switch wire {
    case .float32: "MPI_Allreduce, in place, by chunks"
    case .bfloat16: "MPI_Alltoall and MPI_Allgather of bfloat16, added up in float32, by chunks"
    }
  }

  /// The parts of a range that go one by one.
  public func chunks(of range: Range<Int>) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: chunkLength).map {
      $0..<min($0 + chunkLength, range.upperBound)
    }
  }

  /// Replaces `gradients` by their element-wise sum over all ranks.
  ///
  /// - Throws: `MPIError` if MPI fails; `gradients` is then undefined.
  public func reduce(_ gradients: UnsafeMutableBufferPointer<Float>) throws {
    guard communicator.size > 1 else { return }
    for chunk in chunks(of: gradients.indices) {
      let values = UnsafeMutableBufferPointer(rebasing: gradients[chunk])
      if let rounded {
        try rounded.allReduce(values)
      } else {
        try communicator.allReduceSum(values)
      }
    }
  }

  /// Writes to `own` this rank's part of the element-wise sum of `values` over all ranks: of at most a
  /// chunk that consists of as many parts of the length of `own` as there are ranks.
  ///
  /// - Throws: `MPIError`.
  public func reduceScatter(
    _ values: UnsafeBufferPointer<Float>, into own: UnsafeMutableBufferPointer<Float>
  ) throws {
    if let rounded {
      try rounded.reduceScatter(values, into: own)
    } else {
      try communicator.reduceScatterSum(values, into: own)
    }
  }
}
