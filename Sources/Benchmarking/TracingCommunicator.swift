import Distributed
import Foundation
import Synchronization

/// Passes everything on to another communicator, and notes when the collectives of an iteration begin and end.
final class TracingCommunicator: Communicator {
  private struct Notes {
    var events: [IterationTrace.Event] = []
    var start = ContinuousClock.now
    var computing: Thread?
  }

  private let communicator: any Communicator
  private let notes = Mutex(Notes())

  init(_ communicator: any Communicator) { self.communicator = communicator }

  /// Begins an iteration of the calling thread.
  func begin() {
    notes.withLock { $0 = Notes(computing: .current) }
  }

  /// What the rank has done since.
  ///
  /// - Parameter dataWait: seconds for which it waited for its batch at first.
  func end(dataWait: Double) -> IterationTrace {
    notes.withLock {
      IterationTrace(
        $0.events, dataWait: dataWait, seconds: (ContinuousClock.now - $0.start) / .seconds(1))
    }
  }

  private func note(_ collective: TracedCollective, _ body: () throws -> Void) rethrows {
    let start = ContinuousClock.now
    try body()
    let end = ContinuousClock.now
    notes.withLock {
      $0.events.append(
        IterationTrace.Event(
          collective: collective, start: (start - $0.start) / .seconds(1),
          end: (end - $0.start) / .seconds(1), isPosted: $0.computing !== Thread.current))
    }
  }

  func allReduceSum(_ values: UnsafeMutableBufferPointer<Float>) throws {
    try note(.allReduce(floats: values.count)) { try communicator.allReduceSum(values) }
  }

  func reduceScatterSum(
    _ values: UnsafeBufferPointer<Float>, into own: UnsafeMutableBufferPointer<Float>
  ) throws {
    try note(.reduceScatter(floats: own.count)) {
      try communicator.reduceScatterSum(values, into: own)
    }
  }

  func exchangeParts(
    _ bytes: UnsafeRawBufferPointer, into received: UnsafeMutableRawBufferPointer
  ) throws {
    try note(.allToAll(bytes: bytes.count / size)) {
      try communicator.exchangeParts(bytes, into: received)
    }
  }

  func allGatherParts(_ bytes: UnsafeMutableRawBufferPointer) throws {
    try note(.allGather(bytes: bytes.count / size)) { try communicator.allGatherParts(bytes) }
  }
}

/// What an iteration does not do.
extension TracingCommunicator {
  var rank: Int { communicator.rank }
  var size: Int { communicator.size }
  var localRank: Int { communicator.localRank }
  var localSize: Int { communicator.localSize }
  var hostName: String { communicator.hostName }
  var supportsThreads: Bool { communicator.supportsThreads }
  var activity: ActivityRecord { communicator.activity }

  func gatherOnRoot(
    _ own: UnsafeBufferPointer<Float>, counts: [Int], into all: UnsafeMutableBufferPointer<Float>?
  ) throws {
    try communicator.gatherOnRoot(own, counts: counts, into: all)
  }

  func scatterFromRoot(
    _ all: UnsafeBufferPointer<Float>?, counts: [Int], into own: UnsafeMutableBufferPointer<Float>
  ) throws {
    try communicator.scatterFromRoot(all, counts: counts, into: own)
  }

  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, root: Int) throws {
    try communicator.broadcast(bytes, root: root)
  }

  func allGather(_ value: UInt64) throws -> [UInt64] { try communicator.allGather(value) }

  func allGatherOnNode(_ words: [UInt64]) throws -> [[UInt64]] {
    try communicator.allGatherOnNode(words)
  }

  func barrier() throws { try communicator.barrier() }

  func messageChannel() throws -> (any MessageChannel)? { try communicator.messageChannel() }

  func end(status: Int32) -> Never { communicator.end(status: status) }

  func abort(_ message: String, status: Int32) -> Never {
    communicator.abort(message, status: status)
  }
}
