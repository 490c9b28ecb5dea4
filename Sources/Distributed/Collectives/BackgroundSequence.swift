import Foundation

/// Pieces of work that are done in order, by a thread of its own as soon as they may be, while the caller
/// computes; what is left when the caller has finished, the caller does.
///
/// A collective spins while it waits. So the thread has a lower priority: where every core is busy
/// computing, it takes a quarter of one and not half.
public final class BackgroundSequence: Sendable {
  /// On top of the process's.
  private static let niceness: Int32 = 5

  private let shared: Shared

  /// - Parameter work: does the piece of a number; called by one thread at a time.
  public init(_ work: @escaping (_ index: Int) throws -> Void) {
    let shared = Shared(work)
    self.shared = shared
    Thread {
      // Of this thread only, on Linux.
      _ = nice(Self.niceness)
      shared.run()
    }.start()
  }

  deinit {
    shared.end()
  }

  /// Says that pieces before `count` may be done.
  public func allow(before count: Int) {
    shared.allow(before: count)
  }

  /// Returns when all pieces before `count` are done. The next sequence begins with the first again.
  ///
  /// - Throws: the error of the piece that failed; those after it are not done.
  public func finish(before count: Int) throws {
    try shared.finish(before: count)
  }

  /// Seconds of the thread's work so far for which no caller waited.
  public var hiddenSeconds: Double { shared.hiddenSeconds }
}

/// What the caller and the thread have in common.
private final class Shared: @unchecked Sendable {
  private let work: (Int) throws -> Void
  private let condition = NSCondition()
  // Under the condition's lock.
  private var allowed = 0
  private var next = 0
  private var isWorking = false
  /// Since when the caller waits for the piece that is being done, if it does.
  private var waitStart: ContinuousClock.Instant?
  private var failure: (any Error)?
  private var isEnding = false
  private var hasEnded = false
  private var seconds = 0.0

  init(_ work: @escaping (Int) throws -> Void) {
    self.work = work
  }

  var hiddenSeconds: Double { condition.withLock { seconds } }

  func allow(before count: Int) {
    condition.withLock {
      allowed = count
      condition.broadcast()
    }
  }

  func finish(before count: Int) throws {
    let start = try condition.withLock {
      allowed = 0
      waitStart = .now
      while isWorking { condition.wait() }
      waitStart = nil
      defer { (next, failure) = (0, nil) }
      if let failure { throw failure }
      return next
    }
    for index in start..<count { try work(index) }
  }

  func end() {
    condition.withLock {
      isEnding = true
      condition.broadcast()
      while !hasEnded { condition.wait() }
    }
  }

  func run() {
    condition.withLock {
      while !isEnding {
        guard next < allowed, failure == nil else {
          condition.wait()
          continue
        }
        perform()
      }
      hasEnded = true
      condition.broadcast()
    }
  }

  /// Does the next piece, without the lock, which the caller holds.
  private func perform() {
    let index = next
    isWorking = true
    condition.unlock()
    let start = ContinuousClock.now
    let result = Result { try work(index) }
    let end = ContinuousClock.now
    condition.lock()
    if case .failure(let error) = result { failure = error }
    next = index + 1
    seconds += max(0, (min(waitStart ?? end, end) - start) / .seconds(1))
    isWorking = false
    condition.broadcast()
  }
}
