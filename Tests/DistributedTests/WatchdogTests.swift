import Glibc
import TestSupport
import Testing

@testable import Distributed

/// Whole jobs that hang.
@Suite(.serialized) struct WatchdogTests {
  private func message(of job: ProgramRun) -> String {
    job.errors.split(separator: "\n").first { $0.hasPrefix("rank ") }.map(String.init) ?? ""
  }

  @Test(arguments: [
    ("theLastRankIsStopped", 2, 0), ("theFirstRankIsStopped", 0, 1),
    ("theFirstTwoRanksAreStopped", 0, 2),
  ])
  func stoppedRanksEndTheJob(name: String, stopped: Int, reporting: Int) throws {
    let job = try ProgramRun.ofTests("HangingRanks/\(name)", ranks: 3)
    #expect(job.status == ExitStatus.hung)
    let host = currentHostName()
    let message = message(of: job)
    #expect(
      message.hasPrefix(
        "rank \(reporting) on \(host): no sign of life from rank \(stopped) on host \(host) ("))
    // The last rank, which stands in for two monitors, knows nothing of their work.
    let last = reporting == 2 ? "unknown" : "waiting for data of iteration 20"
    #expect(message.contains("; last: \(last))"), "\(message)")
  }

  @Test func aRankThatSitsInAFileSystemEndsTheJob() throws {
    let job = try ProgramRun.ofTests("HangingRanks/theLastRankWaitsForData", ranks: 3)
    #expect(job.status == ExitStatus.hung)
    let message = message(of: job)
    #expect(message.contains("no progress on rank 2 on host "))
    #expect(message.contains("; waiting for data of iteration 20). The run"))
  }

  @Test func thereIsNoneWhereMPIServesOneThread() throws {
    let communicator = TwoEqualRanks(supportsThreads: false)
    #expect(try Watchdog(ActivityRecord(), timeout: 1, communicator) == nil)
  }

  @Test func aStuckSingleProcessEnds() throws {
    let job = try ProgramRun.ofTests("HangingRanks/aSingleProcessWaitsForData", ranks: 1)
    #expect(job.status == ExitStatus.hung)
    #expect(message(of: job).contains("no progress on rank 0 on host "))
  }
}

/// What the ranks of these jobs do.
@Suite(.enabled(if: Launch.current.isByMPI))
struct HangingRanks {
  private func train(_ communicator: any Communicator, iteration20: (Int) -> Void) throws {
    let record = ActivityRecord()
    let watchdog = try #require(try Watchdog(record, timeout: 6, communicator))
    var values = [Float](repeating: 1, count: 1000)
    for iteration in 0..<40 {
      record.enter(.waitingForData, iteration: iteration)
      if iteration == 20 { iteration20(communicator.rank) }
      record.enter(.reducing, iteration: iteration)
      try values.withUnsafeMutableBufferPointer { try communicator.allReduceSum($0) }
      try communicator.barrier()
    }
    watchdog.stop()
  }

  private func stop(_ ranks: ClosedRange<Int>) throws {
    try train(Launch.current.communicator()) { rank in
      // Long enough for the others to hear of the iteration.
      sleep(2)
      // Sent to this thread: the kernel may hand a process's signal to another thread, and until
      // that one runs, this one would go on into the all-reduce.
      if ranks.contains(rank) { pthread_kill(pthread_self(), SIGSTOP) }
    }
  }

  @Test func theLastRankIsStopped() throws { try stop(2...2) }

  @Test func theFirstRankIsStopped() throws { try stop(0...0) }

  @Test func theFirstTwoRanksAreStopped() throws { try stop(0...1) }

  @Test func theLastRankWaitsForData() throws {
    try train(Launch.current.communicator()) { if $0 == 2 { sleep(50) } }
  }

  @Test func aSingleProcessWaitsForData() throws {
    try train(SingleProcess()) { _ in sleep(50) }
  }
}
