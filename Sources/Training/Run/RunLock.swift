import Distributed
import Foundation
import Support

/// Keeps a run's directory for one process, since two that write to it would mix their metrics and
/// checkpoints, by the lock of the file `.lock` in the directory. Where a file system has no locks,
/// nothing is locked.
final class RunLock {
  private let lock: FileLock

  /// Waits a little for a process that is just ending.
  ///
  /// - Parameter patience: for so many seconds.
  /// - Throws: `OutputError` if another process has the lock, or the directory cannot be written.
  init(directory: String, patience: Double) throws {
    let path = directory + "/.lock"
    do {
      lock = try FileLock(path: path)
    } catch {
      throw OutputError(path: path, problem: "cannot be written: \(systemReason(of: error))")
    }
    let end = ContinuousClock.now + .seconds(patience)
    while lock.attempt() == .refused {
      guard ContinuousClock.now < end else {
        let owner = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        throw OutputError(
          path: directory,
          problem: "is in use: \(owner.isEmpty ? "another process" : owner) trains there; name"
            + " another --output, or wait for its end")
      }
      usleep(50_000)
    }
    lock.write("process \(getpid()) on \(SingleProcess().hostName)")
  }
}
