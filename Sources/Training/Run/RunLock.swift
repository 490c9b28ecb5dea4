import Distributed
import Foundation

/// Keeps a run's directory for one process, since two that write to it would mix their metrics and
/// checkpoints.
///
/// The lock is the system's, on the file `.lock` in the directory, and ends with the process, however
/// that ends. Where a file system has no locks, nothing is locked.
final class RunLock {
  private let descriptor: Int32

  /// Waits a little for a process that is just ending.
  ///
  /// - Parameter patience: for so many seconds.
  /// - Throws: `OutputError` if another process has the lock, or the directory cannot be written.
  init(directory: String, patience: Double) throws {
    let path = directory + "/.lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw OutputError(
        path: path, problem: "cannot be written: \(systemReason())")
    }
    let end = ContinuousClock.now + .seconds(patience)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { return }  // No locks here.
      guard ContinuousClock.now < end else {
        let owner = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        close(descriptor)
        throw OutputError(
          path: directory,
          problem: "is in use: \(owner.isEmpty ? "another process" : owner) trains there; name"
            + " another --output, or wait for its end")
      }
      usleep(50_000)
    }
    let owner = "process \(getpid()) on \(SingleProcess().hostName)"
    ftruncate(descriptor, 0)
    pwrite(descriptor, owner, owner.utf8.count, 0)
  }

  deinit { close(descriptor) }
}
