/// Sums over the ranks for which numbers travel in bfloat16.
///
/// Each rank gets its part of all ranks' numbers (an all-to-all) and adds them up in float32, in the order
/// of the ranks. For an all-reduce it hands the rounded sums to the others (an all-gather). So a number is
/// rounded once on each of the two ways, all ranks have the same bits, and these depend on nothing but the
/// ranks' numbers and the number of ranks.
///
/// Holds the memory that it needs, so use it from one thread at a time.
final class RoundedReduction: @unchecked Sendable {
  private let communicator: any Communicator
  private let outgoing, incoming: UnsafeMutableBufferPointer<UInt16>
  private let sums: UnsafeMutableBufferPointer<Float>

  /// - Parameter capacity: the most numbers at once.
  init(_ communicator: any Communicator, capacity: Int) {
    self.communicator = communicator
    let part = (capacity + communicator.size - 1) / communicator.size
    outgoing = .allocate(capacity: part * communicator.size)
    incoming = .allocate(capacity: part * communicator.size)
    sums = .allocate(capacity: part)
    outgoing.initialize(repeating: 0)
    incoming.initialize(repeating: 0)
    sums.initialize(repeating: 0)
  }

  deinit {
    outgoing.deallocate()
    incoming.deallocate()
    sums.deallocate()
  }

  /// Replaces `values` by their element-wise sum over all ranks. A collective.
  func allReduce(_ values: UnsafeMutableBufferPointer<Float>) throws {
    let size = communicator.size
    let part = (values.count + size - 1) / size
    let padded = slice(outgoing, 0..<part * size)
    BFloat16.round(UnsafeBufferPointer(values), into: slice(padded, 0..<values.count))
    slice(padded, values.count..<padded.count).update(repeating: 0)
    try sumParts(of: padded, into: slice(sums, 0..<part))
    let own = communicator.rank * part..<(communicator.rank + 1) * part
    BFloat16.round(
      UnsafeBufferPointer(slice(sums, 0..<part)), into: slice(padded, own))
    try communicator.allGatherParts(UnsafeMutableRawBufferPointer(padded))
    BFloat16.widen(UnsafeBufferPointer(slice(padded, 0..<values.count)), into: values)
  }

  /// Writes to `own` this rank's part of the element-wise sum of `values`, unrounded. A collective.
  func reduceScatter(
    _ values: UnsafeBufferPointer<Float>, into own: UnsafeMutableBufferPointer<Float>
  ) throws {
    precondition(values.count == communicator.size * own.count)
    let rounded = slice(outgoing, 0..<values.count)
    BFloat16.round(values, into: rounded)
    try sumParts(of: rounded, into: own)
  }

  private func sumParts(
    of values: UnsafeMutableBufferPointer<UInt16>, into own: UnsafeMutableBufferPointer<Float>
  ) throws {
    let received = slice(incoming, 0..<values.count)
    try communicator.exchangeParts(
      UnsafeRawBufferPointer(values), into: UnsafeMutableRawBufferPointer(received))
    let part = own.count
    BFloat16.widen(UnsafeBufferPointer(slice(received, 0..<part)), into: own)
    for rank in 1..<communicator.size {
      BFloat16.add(
        UnsafeBufferPointer(slice(received, rank * part..<(rank + 1) * part)), to: own)
    }
  }

  private func slice<T>(
    _ buffer: UnsafeMutableBufferPointer<T>, _ range: Range<Int>
  ) -> UnsafeMutableBufferPointer<T> {
    UnsafeMutableBufferPointer(rebasing: buffer[range])
  }
}
