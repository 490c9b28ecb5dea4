internal import CMPI

/// Carries short messages between single ranks, apart from the collectives. Neither method waits.
///
/// Use a channel from one thread at a time; that may be another than the one that issues collectives.
public protocol MessageChannel: AnyObject, Sendable {
  /// Whether `rank` has received the last message that was sent to it; true before the first.
  func isDelivered(to rank: Int) throws -> Bool

  /// Starts to send `words` to another rank, which must have received the last message, so that a
  /// rank that receives nothing cannot fill the memory of others.
  func send(_ words: [UInt64], to rank: Int) throws

  /// Returns a message that has arrived, if there is one, and the rank that sent it.
  func receive() throws -> (words: [UInt64], sender: Int)?
}

/// A channel over an MPI communicator of its own.
final class MPIMessageChannel: MessageChannel, @unchecked Sendable {
  private let communicator: MPI_Comm
  /// The messages on their way, by the rank that they go to. MPI reads the words until it is done.
  private var underway:
    [Int: (request: sltt_mpi_request, words: UnsafeMutableBufferPointer<UInt64>)]

  /// A collective over `world`.
  init(duplicating world: MPI_Comm) throws {
    var communicator = sltt_mpi_comm()
    try checkMPI(MPI_Comm_dup(world, &communicator.handle), "MPI_Comm_dup")
    self.communicator = communicator.handle
    underway = [:]
  }

  func isDelivered(to rank: Int) throws -> Bool {
    guard var message = underway[rank] else { return true }
    var isComplete: Int32 = 0
    var status = MPI_Status()
    try checkMPI(MPI_Test(&message.request.handle, &isComplete, &status), "MPI_Test")
    guard isComplete != 0 else { return false }
    message.words.deallocate()
    underway[rank] = nil
    return true
  }

  func send(_ words: [UInt64], to rank: Int) throws {
    precondition(underway[rank] == nil, "rank \(rank) has yet to receive the last message")
    let buffer = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: words.count)
    _ = buffer.initialize(from: words)
    var request = sltt_mpi_request()
    // Synchronous: MPI_Isend may be complete as soon as MPI holds a copy.
    try checkMPI(
      MPI_Issend(
        buffer.baseAddress, Int32(buffer.count), sltt_mpi_uint64(), Int32(rank), 0, communicator,
        &request.handle),
      "MPI_Issend")
    underway[rank] = (request, buffer)
  }

  func receive() throws -> (words: [UInt64], sender: Int)? {
    var hasArrived: Int32 = 0
    var status = MPI_Status()
    try checkMPI(
      MPI_Iprobe(MPI_ANY_SOURCE, 0, communicator, &hasArrived, &status), "MPI_Iprobe")
    guard hasArrived != 0 else { return nil }
    var count: Int32 = 0
    try checkMPI(MPI_Get_count(&status, sltt_mpi_uint64(), &count), "MPI_Get_count")
    var words = [UInt64](repeating: 0, count: Int(count))
    let sender = status.MPI_SOURCE
    try checkMPI(
      MPI_Recv(&words, count, sltt_mpi_uint64(), sender, 0, communicator, &status), "MPI_Recv")
    return (words, Int(sender))
  }
}
