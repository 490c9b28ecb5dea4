import Glibc

/// A job of one process. It needs no launcher and never initialises MPI.
public final class SingleProcess: Communicator {
  public let rank = 0
  public let size = 1
  public let localRank = 0
  public let localSize = 1
  public let hostName = currentHostName()
  public let activity: ActivityRecord

  /// - Parameter activity: where it is noted what the process does.
  public init(activity: ActivityRecord = ActivityRecord()) { self.activity = activity }

  public func allReduceSum(_ values: UnsafeMutableBufferPointer<Float>) {}

  public func reduceScatterSum(
    _ values: UnsafeBufferPointer<Float>, into own: UnsafeMutableBufferPointer<Float>
  ) {
    _ = own.update(from: values)
  }

  public func exchangeParts(
    _ bytes: UnsafeRawBufferPointer, into received: UnsafeMutableRawBufferPointer
  ) {
    received.copyMemory(from: bytes)
  }

  public func allGatherParts(_ bytes: UnsafeMutableRawBufferPointer) {}

  public func gatherOnRoot(
    _ own: UnsafeBufferPointer<Float>, counts: [Int], into all: UnsafeMutableBufferPointer<Float>?
  ) {
    _ = all!.update(from: own)
  }

  public func scatterFromRoot(
    _ all: UnsafeBufferPointer<Float>?, counts: [Int], into own: UnsafeMutableBufferPointer<Float>
  ) {
    _ = own.update(from: all!)
  }

  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, root: Int) {
    precondition(root == 0, "root \(root) in a job of one process")
  }

  public func allGather(_ value: UInt64) -> [UInt64] { [value] }

  public func allGatherOnNode(_ words: [UInt64]) -> [[UInt64]] { [words] }

  public func barrier() {}

  public func end(status: Int32) -> Never { exit(status) }

  public func abort(_ message: String, status: Int32) -> Never {
    abortAlone(message, rank: rank, status: status)
  }
}

/// Ends this process, which is alone or could not join its job, with a message.
public func abortAlone(_ message: String, rank: Int, status: Int32) -> Never {
  exitForSure(status: status)
  printAbortMessage(message, rank: rank, hostName: currentHostName())
  exit(nonZeroExitStatus(status))
}
