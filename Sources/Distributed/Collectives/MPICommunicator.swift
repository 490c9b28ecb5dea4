internal import CMPI
import Glibc

/// The ranks that an MPI launcher started: `MPI_COMM_WORLD`.
///
/// Creating one initialises MPI unless that has happened already. MPI is finalised when the process
/// exits with status 0; any other exit ends the whole job, because a rank that leaves quietly after
/// an error would hang the others.
///
/// Sendable because nothing changes after `init`; Swift cannot know that of MPI's handles.
public final class MPICommunicator: Communicator, @unchecked Sendable {
  public let rank: Int
  public let size: Int
  public let localRank: Int
  public let localSize: Int
  public let hostName = currentHostName()
  public let supportsThreads: Bool
  public let activity = ActivityRecord()

  private let world: MPI_Comm
  private let node: MPI_Comm

  public init() throws {
    try initializeMPI()
    let world: MPI_Comm = sltt_mpi_comm_world()
    try checkMPI(
      MPI_Comm_set_errhandler(world, sltt_mpi_errors_return()), "MPI_Comm_set_errhandler")
    (rank, size) = try position(in: world)
    var support: Int32 = 0
    try checkMPI(MPI_Query_thread(&support), "MPI_Query_thread")
    supportsThreads = try gather([UInt64(support)], over: world, count: size)
      .allSatisfy { $0 >= MPI_THREAD_MULTIPLE }

    var node = sltt_mpi_comm()
    try checkMPI(
      MPI_Comm_split_type(
        world, Int32(MPI_COMM_TYPE_SHARED), Int32(rank), sltt_mpi_info_null(), &node.handle),
      "MPI_Comm_split_type")
    (localRank, localSize) = try position(in: node.handle)
    self.world = world
    self.node = node.handle
  }

  public func allReduceSum(_ values: UnsafeMutableBufferPointer<Float>) throws {
    try forEachPart(of: values.count) { part in
      try checkMPI(
        MPI_Allreduce(
          sltt_mpi_in_place(), values.baseAddress! + part.lowerBound, Int32(part.count),
          sltt_mpi_float(), sltt_mpi_sum(), world),
        "MPI_Allreduce")
    }
  }

  public func reduceScatterSum(
    _ values: UnsafeBufferPointer<Float>, into own: UnsafeMutableBufferPointer<Float>
  ) throws {
    precondition(values.count == size * own.count && own.count <= Int32.max)
    try checkMPI(
      MPI_Reduce_scatter_block(
        values.baseAddress, own.baseAddress, Int32(own.count), sltt_mpi_float(), sltt_mpi_sum(),
        world),
      "MPI_Reduce_scatter_block")
  }

  public func exchangeParts(
    _ bytes: UnsafeRawBufferPointer, into received: UnsafeMutableRawBufferPointer
  ) throws {
    precondition(bytes.count == received.count)
    let length = partLength(bytes.count)
    try checkMPI(
      MPI_Alltoall(
        bytes.baseAddress, length, sltt_mpi_byte(), received.baseAddress, length, sltt_mpi_byte(),
        world),
      "MPI_Alltoall")
  }

  public func allGatherParts(_ bytes: UnsafeMutableRawBufferPointer) throws {
    let length = partLength(bytes.count)
    try checkMPI(
      MPI_Allgather(
        sltt_mpi_in_place(), length, sltt_mpi_byte(), bytes.baseAddress, length, sltt_mpi_byte(),
        world),
      "MPI_Allgather")
  }

  public func gatherOnRoot(
    _ own: UnsafeBufferPointer<Float>, counts: [Int], into all: UnsafeMutableBufferPointer<Float>?
  ) throws {
    let places = places(counts, own: own.count, all: all?.count)
    try activity.whileWaitingForRanks {
      try checkMPI(
        MPI_Gatherv(
          own.baseAddress, Int32(own.count), sltt_mpi_float(), all?.baseAddress, places.counts,
          places.starts, sltt_mpi_float(), 0, world),
        "MPI_Gatherv")
    }
  }

  public func scatterFromRoot(
    _ all: UnsafeBufferPointer<Float>?, counts: [Int], into own: UnsafeMutableBufferPointer<Float>
  ) throws {
    let places = places(counts, own: own.count, all: all?.count)
    try activity.whileWaitingForRanks {
      try checkMPI(
        MPI_Scatterv(
          all?.baseAddress, places.counts, places.starts, sltt_mpi_float(), own.baseAddress,
          Int32(own.count), sltt_mpi_float(), 0, world),
        "MPI_Scatterv")
    }
  }

  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, root: Int) throws {
    try activity.whileWaitingForRanks {
      try forEachPart(of: bytes.count) { part in
        try checkMPI(
          MPI_Bcast(
            bytes.baseAddress! + part.lowerBound, Int32(part.count), sltt_mpi_byte(), Int32(root),
            world),
          "MPI_Bcast")
      }
    }
  }

  public func allGather(_ value: UInt64) throws -> [UInt64] {
    try activity.whileWaitingForRanks { try gather([value], over: world, count: size) }
  }

  public func allGatherOnNode(_ words: [UInt64]) throws -> [[UInt64]] {
    let all = try activity.whileWaitingForRanks {
      try gather(words, over: node, count: localSize)
    }
    return (0..<localSize).map { Array(all[$0 * words.count..<($0 + 1) * words.count]) }
  }

  public func barrier() throws {
    try activity.whileWaitingForRanks { try checkMPI(MPI_Barrier(world), "MPI_Barrier") }
  }

  public func messageChannel() throws -> (any MessageChannel)? {
    try activity.whileWaitingForRanks { try MPIMessageChannel(duplicating: world) }
  }

  public func end(status: Int32) -> Never {
    MPI_Finalize()
    exit(status)
  }

  public func abort(_ message: String, status: Int32) -> Never {
    exitForSure(status: status)
    printAbortMessage(message, rank: rank, hostName: hostName)
    abortJob(status: status)
  }

  /// The length of each rank's part.
  private func partLength(_ count: Int) -> Int32 {
    precondition(count % size == 0 && count / size <= Int32.max)
    return Int32(count / size)
  }

  /// Where the parts of the ranks lie, one after the other.
  private func places(
    _ counts: [Int], own: Int, all: Int?
  ) -> (counts: [Int32], starts: [Int32]) {
    let total = counts.reduce(0, +)
    precondition(counts.count == size && counts[rank] == own && total <= Int32.max)
    precondition(isRoot ? all == total : all == nil)
    var starts: [Int32] = []
    var start = 0
    for count in counts {
      starts.append(Int32(start))
      start += count
    }
    return (counts.map { Int32($0) }, starts)
  }
}

/// Initialises MPI and arranges for the end of it, unless MPI is initialised already.
private func initializeMPI() throws {
  var isInitialized: Int32 = 0
  try checkMPI(MPI_Initialized(&isInitialized), "MPI_Initialized")
  guard isInitialized == 0 else { return }

  // A watchdog may abort the job while the main thread sits in a collective. Where MPI gives less, see
  // `supportsThreads`.
  var provided: Int32 = 0
  try checkMPI(
    MPI_Init_thread(nil, nil, Int32(MPI_THREAD_MULTIPLE), &provided), "MPI_Init_thread")
  on_exit({ status, _ in endMPI(exitStatus: status) }, nil)
}

/// Runs at the process's exit. `MPI_Finalize` waits for the other ranks, so it is only for a rank that
/// has done its part; the others would wait for a failed one forever.
private func endMPI(exitStatus: Int32) {
  var isFinalized: Int32 = 0
  guard MPI_Finalized(&isFinalized) == MPI_SUCCESS, isFinalized == 0 else { return }
  if exitStatus == 0 {
    MPI_Finalize()
  } else {
    exitForSure(status: exitStatus)
    abortJob(status: exitStatus)
  }
}

private func abortJob(status: Int32) -> Never {
  // MPICH's mpirun drops what ranks have written and it has not passed on by then.
  if !MPILibrary.isOpenMPI { usleep(200_000) }
  MPI_Abort(sltt_mpi_comm_world(), nonZeroExitStatus(status))
  // Not `exit`: its handlers would come back here.
  _exit(nonZeroExitStatus(status))
}

private func position(in communicator: MPI_Comm) throws -> (rank: Int, size: Int) {
  var rank: Int32 = 0
  var size: Int32 = 0
  try checkMPI(MPI_Comm_rank(communicator, &rank), "MPI_Comm_rank")
  try checkMPI(MPI_Comm_size(communicator, &size), "MPI_Comm_size")
  return (Int(rank), Int(size))
}

/// The words of `count` ranks, in their order.
private func gather(
  _ words: [UInt64], over communicator: MPI_Comm, count: Int
) throws -> [UInt64] {
  var received = [UInt64](repeating: 0, count: words.count * count)
  try checkMPI(
    MPI_Allgather(
      words, Int32(words.count), sltt_mpi_uint64(), &received, Int32(words.count),
      sltt_mpi_uint64(), communicator),
    "MPI_Allgather")
  return received
}

/// Calls `body` with consecutive ranges that cover 0 ..< `count`, each small enough for MPI's 32-bit
/// counts.
private func forEachPart(of count: Int, _ body: (Range<Int>) throws -> Void) rethrows {
  var start = 0
  while start < count {
    let end = min(start + Int(Int32.max), count)
    try body(start..<end)
    start = end
  }
}
