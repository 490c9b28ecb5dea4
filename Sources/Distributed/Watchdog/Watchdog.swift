import Foundation
import Synchronization

/// Ends a run that stands still. A thread on every rank tells the others, outside the collectives,
/// what its rank does; when nothing has changed for the length of the timeout, one rank prints who
/// holds up the run, where and at what, and ends the job with `ExitStatus.hung`.
///
/// A run that ends normally must `stop()` its watchdog first, on every rank. One that ends by an error
/// need not.
public final class Watchdog: Sendable {
  private let record: ActivityRecord
  private let isStopping = Atomic(false)
  private let hasEnded = DispatchSemaphore(value: 0)

  /// Starts to watch; nil where MPI serves one thread at a time, so that nobody could listen while a rank
  /// waits in a collective. A collective.
  ///
  /// - Parameters:
  ///   - record: where this rank notes what it does.
  ///   - timeout: how many seconds any operation may take without a sign of progress; at least 1.
  /// - Throws: `MPIError`.
  public init?(
    _ record: ActivityRecord, timeout: Double, _ communicator: any Communicator
  ) throws {
    guard communicator.supportsThreads else { return nil }
    self.record = record
    let hosts = try communicator.allGather(communicator.hostName)
    let watch = Watch(
      rank: communicator.rank, nodes: try communicator.nodes(), timeout: timeout,
      try communicator.messageChannel())
    Thread { [self] in
      var watch = watch
      do {
        if let hang = try run(&watch) {
          communicator.abort(
            hang.message(hosts: hosts, timeout: timeout), status: ExitStatus.hung)
        }
      } catch {
        communicator.abort("\(error)", status: ExitStatus.broken)
      }
      hasEnded.signal()
    }.start()
  }

  /// Ends the watch when all ranks have called this; until then it goes on over the others. To be
  /// called once.
  public func stop() {
    record.enter(.finished)
    isStopping.store(true, ordering: .relaxed)
    hasEnded.wait()
  }

  /// Watches until the run hangs, or has ended.
  private func run(_ watch: inout Watch) throws -> Hang? {
    var clock = WatchClock(longestStep: 2 * watch.interval)
    while true {
      clock.look()
      if let hang = try watch.beat(record.current, at: clock.seconds) { return hang }
      if try watch.isOver() { return nil }
      rest(seconds: watch.interval)
    }
  }

  /// Sleeps, but not for long once the run ends.
  private func rest(seconds: Double) {
    let end = SuspendingClock.now + .seconds(seconds)
    repeat {
      usleep(isStopping.load(ordering: .relaxed) ? 2_000 : 50_000)
    } while SuspendingClock.now < end && !isStopping.load(ordering: .relaxed)
  }
}
