import Foundation

/// The system's lock on a file, which one process has at a time, until it lets it go or ends, however
/// that happens.
public final class FileLock {
  /// What an attempt to get the lock came to.
  public enum Attempt {
    case taken
    /// Another process has it.
    case refused
    /// The file system has no locks.
    case unsupported
  }

  private let descriptor: Int32

  /// Opens the file, which is made if it is not there.
  public init(path: String) throws(FileError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
  }

  deinit { close(descriptor) }

  /// Takes the lock if nobody has it; does not wait.
  public func attempt() -> Attempt {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      return errno == EWOULDBLOCK ? .refused : .unsupported
    }
    return .taken
  }

  /// Replaces what is in the file, for people who wonder who has it.
  public func write(_ owner: String) {
    ftruncate(descriptor, 0)
    pwrite(descriptor, owner, owner.utf8.count, 0)
  }
}
