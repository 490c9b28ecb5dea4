import Foundation
import Testing

@testable import Distributed

@Suite struct AbortTests {
  @Test(arguments: [(0, 1), (256, 1), (-512, 1), (1, 1), (75, 75), (257, 257)] as [(Int32, Int32)])
  func noStatusReadsAsSuccess(given: Int32, used: Int32) {
    #expect(nonZeroExitStatus(given) == used)
  }

  @Test func anAbortEndsTheJobWithItsMessageAndStatus() throws {
    let job = try Job(ranks: 3, running: "AbortingRanks/theLastRankAborts")
    #expect(job.status == 75)
    let messages = job.errors.split(separator: "\n").filter { $0.hasPrefix("rank ") }
    #expect(messages == ["rank 2 on \(currentHostName()): cannot read cat.jpg"])
  }

  @Test func aRankThatExitsAfterAnErrorEndsTheJob() throws {
    let job = try Job(ranks: 2, running: "AbortingRanks/theLastRankExits")
    #expect(job.status == 3)
  }
}

/// What the ranks of a `Job` run: the other ranks wait for the last one, which never comes.
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
}

/// An `mpirun` job of this very test program, with a time limit.
private struct Job {
  let status: Int32
  let errors: String

  init(ranks: Int, running test: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      // mpirun's own end, 124 from `timeout`, means that the job hung.
      "timeout", "--kill-after=5", "60",
      "mpirun", "-n", "\(ranks)", "--oversubscribe", "--bind-to", "none",
      try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      "--testing-library", "swift-testing", "--filter", test,
    ]
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    ]) { _, new in new }
    let errorPipe = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errorPipe
    try process.run()
    let errors = try errorPipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    self.status = process.terminationStatus
    self.errors = String(decoding: errors, as: UTF8.self)
  }
}
