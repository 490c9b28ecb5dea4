import Dispatch
import Foundation
import Support
import Synchronization
import TestSupport
import Testing

@testable import Datasets
@testable import Distributed
@testable import Tensors

/// Denormal numbers are 0 on every kind of thread that the program has.
struct DenormalsTests {
  @Test func everyThreadFlushesThem() throws { try expectFlushingEverywhere() }
}

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct DenormalsMPITests {
  @Test func everyThreadFlushesThemBesideMPI() throws {
    _ = try Launch.current.communicator()
    try expectFlushingEverywhere()
  }
}

private func expectFlushingEverywhere() throws {
  let flushing = Mutex<[String: Bool]>([:])
  let ask: @Sendable (String) -> Void = { thread in
    flushing.withLock { $0[thread] = MathLibraries.flushesDenormals }
  }
  ask("the caller's")
  withThreads(3) { parallelFor(3) { thread, _ in ask("the pool's \(thread)") } }
  WorkerThread { ask("the loader's") }.join()
  let done = DispatchSemaphore(value: 0)
  let exchange = BackgroundSequence { _ in
    ask("the exchange's")
    done.signal()
  }
  exchange.allow(before: 1)
  done.wait()
  try exchange.finish(before: 1)
  Thread {
    ask("the watchdog's")
    done.signal()
  }.start()
  done.wait()
  DispatchQueue(label: "checkpoints").async {
    ask("the checkpoint writer's")
    done.signal()
  }
  done.wait()
  let found = flushing.withLock { $0 }
  #expect(found.count == 8 && found.values.allSatisfy { $0 }, "\(found)")
}
