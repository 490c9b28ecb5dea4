import Foundation

/// A thread that can be waited for, which Foundation's cannot.
public struct WorkerThread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  private let thread: pthread_t

  /// Starts `run` on a thread of its own.
  public init(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(Body(run)).toOpaque())
    guard status == 0 else {
      Exhaustion.end(
        "cannot start a thread: \(systemReason(status)); use fewer workers, or raise the"
          + " limit on processes (ulimit -u)")
    }
    self.thread = thread
  }

  /// Returns when the thread has ended and released what it held. To be called once.
  public func join() {
    pthread_join(thread, nil)
  }
}
