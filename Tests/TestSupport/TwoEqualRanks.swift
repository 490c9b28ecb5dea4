import Distributed
import Synchronization

/// Rank 0 of two whose values are always the same.
public final class TwoEqualRanks: Communicator {
  public let rank = 0
  public let size = 2
  public let localRank = 0
  public let localSize = 2
  public let hostName = "test"
  public let activity = ActivityRecord()
  public let supportsThreads: Bool
  /// The lengths of all-reduces so far.
  public let reducedLengths = Mutex<[Int]>([])

  public init(supportsThreads: Bool = true) {
    self.supportsThreads = supportsThreads
  }

  public func allReduceSum(_ values: UnsafeMutableBufferPointer<Float>) {
    reducedLengths.withLock { $0.append(values.count) }
    for index in values.indices { values[index] *= 2 }
  }
  public func reduceScatterSum(
    _ values: UnsafeBufferPointer<Float>, into own: UnsafeMutableBufferPointer<Float>
  ) {
    for index in own.indices { own[index] = 2 * values[index] }
  }
  public func exchangeParts(
    _ bytes: UnsafeRawBufferPointer, into received: UnsafeMutableRawBufferPointer
  ) {
    // Both halves come from ranks that send what this one keeps.
    let half = bytes.count / 2
    for index in 0..<bytes.count { received[index] = bytes[index % half] }
  }
  public func allGatherParts(_ bytes: UnsafeMutableRawBufferPointer) {}
  public func gatherOnRoot(
    _ own: UnsafeBufferPointer<Float>, counts: [Int], into all: UnsafeMutableBufferPointer<Float>?
  ) {}
  public func scatterFromRoot(
    _ all: UnsafeBufferPointer<Float>?, counts: [Int], into own: UnsafeMutableBufferPointer<Float>
  ) {}
  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, root: Int) {}
  public func allGather(_ value: UInt64) -> [UInt64] { [value, value] }
  public func allGatherOnNode(_ words: [UInt64]) -> [[UInt64]] { [words, words] }
  public func barrier() {}
  public func end(status: Int32) -> Never { fatalError("\(status)") }
  public func abort(_ message: String, status: Int32) -> Never { fatalError(message) }
}
