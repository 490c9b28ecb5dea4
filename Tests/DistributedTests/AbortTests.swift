import Glibc
import TestSupport
import Testing

@testable import Distributed

@Suite struct AbortTests {
  @Test(arguments: [(0, 1), (256, 1), (-512, 1), (1, 1), (75, 75), (257, 257)] as [(Int32, Int32)])
  func noStatusReadsAsSuccess(given: Int32, used: Int32) {
    #expect(nonZeroExitStatus(given) == used)
  }

  @Test func anAbortEndsTheJobWithItsMessageAndStatus() throws {
    let job = try ProgramRun.ofTests("AbortingRanks/theLastRankAborts", ranks: 3)
    #expect(job.status == 75)
    let messages = job.errors.split(separator: "\n").filter { $0.hasPrefix("rank ") }
    #expect(messages == ["rank 2 on \(currentHostName()): cannot read cat.jpg"])
  }

  @Test func aRankThatExitsAfterAnErrorEndsTheJob() throws {
    let job = try ProgramRun.ofTests("AbortingRanks/theLastRankExits", ranks: 2)
    #expect(job.status == 3)
  }

  @Test func aRankThatHangsInItsAbortEndsAllTheSame() throws {
    let job = try ProgramRun.ofTests("AbortingRanks/theLastRankCannotPrint", ranks: 2)
    #expect(job.status == 75)
  }
}

/// What the ranks of these jobs do: the others wait for the last one, which never comes.
@Suite(.enabled(if: Launch.current.isByMPI))
struct AbortingRanks {
  @Test func theLastRankAborts() throws {
    let communicator = try Launch.current.communicator()
    if communicator.rank == communicator.size - 1 {
      communicator.abort("cannot read cat.jpg", status: 75)
    }
    try communicator.barrier()
  }

  @Test func theLastRankExits() throws {
    let communicator = try Launch.current.communicator()
    if communicator.rank == communicator.size - 1 {
      exit(3)
    }
    try communicator.barrier()
  }

  /// Its standard error is a pipe that is full and that nobody reads.
  @Test func theLastRankCannotPrint() throws {
    let communicator = try Launch.current.communicator()
    if communicator.rank == communicator.size - 1 {
      var ends: [Int32] = [0, 0]
      try #require(pipe(&ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO)
      _ = fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK)
      while write(STDERR_FILENO, [0 as UInt8], 1) == 1 {}
      _ = fcntl(STDERR_FILENO, F_SETFL, 0)
      communicator.abort("cannot read cat.jpg", status: 75)
    }
    try communicator.barrier()
  }
}
