/// The ranks of one job and what they can do together.
///
/// Apart from `abort`, every method that is not a property is a *collective*: all ranks must call it,
/// with the same sizes and in the same order as their other collectives, or the job hangs. Call
/// collectives from one thread at a time.
public protocol Communicator: AnyObject, Sendable {
  /// This process's number in the job, 0 ..< `size`.
  var rank: Int { get }
  /// The number of processes in the job.
  var size: Int { get }
  /// This process's number among the ranks on the same node, 0 ..< `localSize`.
  var localRank: Int { get }
  /// The number of ranks on this node.
  var localSize: Int { get }
  /// The name of the node, for messages.
  var hostName: String { get }
  /// Whether several threads of each rank may use communicators and channels at a time.
  var supportsThreads: Bool { get }
  /// What this rank does, for a watchdog. Collectives in which it can only wait for others, all but those
  /// that add up or exchange numbers, are noted here.
  var activity: ActivityRecord { get }

  /// Replaces `values` by their element-wise sum over all ranks. Blocking and in place.
  ///
  /// All ranks receive the same bits. For three and more ranks the bits depend on the length, because
  /// the order of the additions does.
  func allReduceSum(_ values: UnsafeMutableBufferPointer<Float>) throws

  /// Writes to `own` this rank's part of the element-wise sum of `values` over all ranks, which is
  /// `size` parts of the length of `own`, in rank order. Blocking.
  func reduceScatterSum(
    _ values: UnsafeBufferPointer<Float>, into own: UnsafeMutableBufferPointer<Float>) throws

  /// Sends every rank its part of `bytes`, and writes to `received` what the ranks send to this one; both
  /// are `size` parts of equal length in rank order. Blocking.
  func exchangeParts(
    _ bytes: UnsafeRawBufferPointer, into received: UnsafeMutableRawBufferPointer) throws

  /// Completes `bytes`, which is `size` parts of equal length in rank order, of which every rank has
  /// filled its own. Blocking and in place.
  func allGatherParts(_ bytes: UnsafeMutableRawBufferPointer) throws

  /// Writes to `all`, on rank 0, what the ranks have in `own`, one after the other; the others pass
  /// nil. Blocking.
  ///
  /// - Parameter counts: how much each rank has, in rank order; the same on all ranks.
  func gatherOnRoot(
    _ own: UnsafeBufferPointer<Float>, counts: [Int], into all: UnsafeMutableBufferPointer<Float>?)
    throws

  /// The reverse: gives each rank its part of what rank 0 has in `all`.
  func scatterFromRoot(
    _ all: UnsafeBufferPointer<Float>?, counts: [Int], into own: UnsafeMutableBufferPointer<Float>)
    throws

  /// Overwrites `bytes` on all ranks with those of rank `root`. All ranks pass the same length.
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, root: Int) throws

  /// Returns the `value` of every rank, in rank order.
  func allGather(_ value: UInt64) throws -> [UInt64]

  /// Returns the `words` of every rank on this node, in the order of `localRank`. All ranks pass the
  /// same number of words.
  func allGatherOnNode(_ words: [UInt64]) throws -> [[UInt64]]

  /// Returns after every rank has called it.
  func barrier() throws

  /// Returns a new channel for messages between single ranks; `nil` where there is only one.
  func messageChannel() throws -> (any MessageChannel)?

  /// Ends this rank when all have done their part (a collective): the job's exit status is `status`.
  func end(status: Int32) -> Never

  /// Ends the whole job: prints `rank R on HOST: message` to standard error and stops all ranks at
  /// once. May be called by one rank alone, from any thread. A process that does not manage in a few
  /// seconds ends itself with the same status.
  ///
  /// - Parameter status: The job's exit status. Only its low byte reaches the shell; where that is 0,
  ///   which would read as success, the status becomes 1.
  func abort(_ message: String, status: Int32) -> Never
}

extension Communicator {
  /// Whether this rank does what only one rank should: writing files, printing progress.
  public var isRoot: Bool { rank == 0 }

  public var supportsThreads: Bool { true }

  public func messageChannel() throws -> (any MessageChannel)? { nil }

  /// Returns the `bytes` of rank `root` on all ranks; what the others pass is ignored, so they need
  /// not know the length.
  public func broadcast(_ bytes: [UInt8], root: Int) throws -> [UInt8] {
    var length = UInt64(bytes.count)
    try withUnsafeMutableBytes(of: &length) { try broadcast($0, root: root) }
    var received = rank == root ? bytes : [UInt8](repeating: 0, count: Int(length))
    try received.withUnsafeMutableBytes { try broadcast($0, root: root) }
    return received
  }

  /// Returns the `text` of rank `root` on all ranks; what the others pass is ignored.
  public func broadcast(_ text: String, root: Int) throws -> String {
    String(decoding: try broadcast(Array(text.utf8), root: root), as: UTF8.self)
  }

  /// Whether `condition` holds on any rank. A collective.
  public func isAny(_ condition: Bool) throws -> Bool {
    var count: Float = condition ? 1 : 0
    try activity.whileWaitingForRanks {
      try withUnsafeMutablePointer(to: &count) {
        try allReduceSum(UnsafeMutableBufferPointer(start: $0, count: 1))
      }
    }
    return count > 0
  }

  /// Returns the `text` of every rank, in rank order. One broadcast a rank: not for the training loop.
  public func allGather(_ text: String) throws -> [String] {
    try (0..<size).map { try broadcast(text, root: $0) }
  }
}
