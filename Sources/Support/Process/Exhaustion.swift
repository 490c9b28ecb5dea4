import Synchronization

/// What the system has no more of, memory or threads, where a step needs it: too deep for an error to be
/// thrown, and nothing could go on.
public enum Exhaustion {
  private static let handler = Mutex<(@Sendable (_ message: String) -> Never)?>(nil)

  /// Says how the program is to end with a message, perhaps with all ranks of its job.
  public static func handle(by end: @escaping @Sendable (_ message: String) -> Never) {
    handler.withLock { $0 = end }
  }

  /// Ends the program, by a trap where nobody has said how.
  public static func end(_ message: String) -> Never {
    if let end = handler.withLock({ $0 }) { end(message) }
    fatalError(message)
  }
}
