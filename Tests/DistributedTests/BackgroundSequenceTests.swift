import Foundation
import Synchronization
import Testing

@testable import Distributed

struct BackgroundSequenceTests {
  private struct Failure: Error {}

  @Test func doesEveryPieceOnceAndInOrder() throws {
    let done = Mutex<[Int]>([])
    let sequence = BackgroundSequence { index in done.withLock { $0.append(index) } }
    for allowed in [[], [1], [3, 3, 7], [20]] {
      for count in allowed { sequence.allow(before: count) }
      try sequence.finish(before: 20)
      #expect(done.withLock { $0 } == Array(0..<20))
      done.withLock { $0 = [] }
    }
    try sequence.finish(before: 0)
    #expect(done.withLock { $0.isEmpty })
  }

  @Test func allowedPiecesAreDoneBeforeTheCallerFinishes() throws {
    let semaphore = DispatchSemaphore(value: 0)
    let caller = pthread_self()
    let threads = Mutex<[Bool]>([])
    let sequence = BackgroundSequence { _ in
      threads.withLock { $0.append(pthread_equal(pthread_self(), caller) != 0) }
      usleep(1000)
      semaphore.signal()
    }
    sequence.allow(before: 2)
    for _ in 0..<2 { #expect(semaphore.wait(timeout: .now() + 60) == .success) }
    try sequence.finish(before: 3)
    #expect(threads.withLock { $0 } == [false, false, true])
    #expect(sequence.hiddenSeconds > 0)
  }

  /// However late the caller wakes, it has not waited longer than the work took.
  @Test func whatIsHiddenNeverShrinks() throws {
    let start = ContinuousClock.now
    let sequence = BackgroundSequence { _ in }
    var hidden = 0.0
    for _ in 0..<1000 {
      sequence.allow(before: 1)
      try sequence.finish(before: 1)
      #expect(sequence.hiddenSeconds >= hidden)
      hidden = sequence.hiddenSeconds
    }
    #expect(hidden <= (ContinuousClock.now - start) / .seconds(1))
  }

  @Test func anErrorReachesTheCallerAndStopsTheSequence() throws {
    let last = Mutex(-1)
    let sequence = BackgroundSequence { index in
      if index == 2 { throw Failure() }
      last.withLock { $0 = index }
    }
    for allowed in [0, 2, 5] {
      sequence.allow(before: allowed)
      #expect(throws: Failure.self) { try sequence.finish(before: 5) }
      #expect(last.withLock { $0 } == 1)
    }
    try sequence.finish(before: 2)
  }

  @Test func endsItsThread() {
    final class Witness: Sendable {}
    weak var witness: Witness?
    do {
      let kept = Witness()
      witness = kept
      let sequence = BackgroundSequence { _ in _ = kept }
      sequence.allow(before: 1)
    }
    // The thread lets go a moment after it has said that it ends.
    for _ in 0..<60_000 where witness != nil { usleep(1000) }
    #expect(witness == nil)
  }
}
