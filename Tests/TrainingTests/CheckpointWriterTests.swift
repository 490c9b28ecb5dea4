@testable import Configuration
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Training

struct CheckpointWriterTests {
  private let directory: TemporaryDirectory
  private let store: CheckpointStore
  private let job: SmallJob

  init() throws {
    (directory, store, job) = try SmallJob.withCheckpoints()
  }

  private func write(_ writer: CheckpointWriter, _ iteration: Int) throws {
    try writer.write(
      Snapshot(job.network, job.trainer.replica.optimizer), .example(iteration: iteration),
      isBest: false)
  }

  /// A checkpoint whose weights turn out to differ between ranks must not become the latest.
  @Test func nothingIsTheLatestBeforeItIsConfirmed() throws {
    let writer = CheckpointWriter(store, .init()) { _ in }
    try write(writer, 1)
    try writer.finish()
    #expect(writer.isBusy)
    #expect(try store.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: store.latestLink))
    writer.confirm()
    try writer.finish()
    #expect(!writer.isBusy)
    #expect(try store.names == ["iteration-000000001"])
  }

  @Test func whoWaitsSeesThatTheWritingGetsOn() throws {
    let signs = Mutex(0)
    let writer = CheckpointWriter(
      store, .init(), progress: { signs.withLock { $0 += 1 } }, report: { _ in })
    try write(writer, 1)
    try writer.finish()
    // Of every tensor, and of the checksums.
    let store = job.network.store
    #expect(signs.withLock { $0 } >= 2 * store.parameters.count + store.statistics.count + 2)
  }

  /// The copy is of the moment of the call.
  @Test func trainingGoesOnWhileItIsWritten() throws {
    let writer = CheckpointWriter(store, .init()) { _ in }
    let before = job.network.store.weights.all.elements
    try write(writer, 1)
    job.network.store.weights.all.fill(7)
    writer.confirm()
    try writer.finish()
    try Checkpoint(contentsOf: store.latestLink).verified()
      .restore(job.network, job.trainer.replica.optimizer.state)
    #expect(job.network.store.weights.all.elements == before)
  }

  /// Without a copy, what follows the call changes nothing either, as the call waits.
  @Test func trainingWaitsWhereNothingIsCopied() throws {
    let writer = CheckpointWriter(store, .init()) { _ in }
    let (weights, state) = (job.network.store.weights.all, job.trainer.replica.optimizer.state)
    let before = [weights.elements] + state.map(\.values.elements)
    try writer.write(
      Snapshot(job.network, job.trainer.replica.optimizer, copies: false), .example(iteration: 1),
      isBest: false)
    weights.fill(7)
    for (_, values) in state { values.fill(7) }
    writer.confirm()
    try writer.finish()
    try Checkpoint(contentsOf: store.latestLink).verified().restore(job.network, state)
    #expect([weights.elements] + state.map(\.values.elements) == before)
  }

  /// Of two checkpoints in a row, no more than one copy takes memory at a time.
  @Test func aCopyIsMadeWhenTheOneBeforeItIsWritten() throws {
    let writer = CheckpointWriter(store, .init()) { _ in }
    try write(writer, 1)
    writer.confirm()
    var written: [String] = []
    func snapshot() throws -> Snapshot {
      written = try store.names
      return try Snapshot(job.network, job.trainer.replica.optimizer)
    }
    try writer.write(snapshot(), .example(iteration: 2), isBest: false)
    #expect(written == ["iteration-000000001"])
    writer.confirm()
    try writer.finish()
  }

  /// It could not be read back, and would take the place of one that can.
  @Test(arguments: [true, false]) func whatIsNotFiniteIsNoCheckpoint(inWeights: Bool) throws {
    let writer = CheckpointWriter(store, .init()) { _ in }
    try write(writer, 1)
    writer.confirm()
    try writer.finish()
    let optimizer = job.trainer.replica.optimizer
    (inWeights ? job.network.store.weights.all : optimizer.state[0].values)[0] = .infinity
    try write(writer, 2)
    writer.confirm()
    let problem = message { try writer.finish() }
    #expect(problem.contains("holds inf (element "), "\(problem)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: store.path).sorted() == [
        "iteration-000000001", "latest",
      ])
  }

  @Test func whatCannotBePutInPlaceLeavesNothing() throws {
    // In the place of a file.
    try directory.makeDirectory(".checkpointed")
    let writer = CheckpointWriter(store, .init()) { _ in }
    try write(writer, 1)
    writer.confirm()
    #expect(message { try writer.finish() }.contains("the checkpoint cannot be written: "))
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.path).isEmpty)
  }

  /// What a validation finds comes into the checkpoint that was made before it.
  @Test func aCheckpointIsCompletedInItsPlace() throws {
    var settings = Configuration.Checkpointing()
    settings.keep = 1
    let writer = CheckpointWriter(store, settings) { _ in }
    try write(writer, 1)
    writer.confirm()
    var position = RunPosition(epoch: 1, iteration: 1)
    (position.validatedIteration, position.validationAccuracy) = (1, 0.5)
    writer.complete(position, isBest: true)
    try write(writer, 2)
    writer.confirm()
    try writer.finish()
    let best = try Checkpoint(contentsOf: store.bestLink).verified()
    #expect(best.state.position == position)
    #expect(try store.names == ["iteration-000000002", "iteration-000000001"])
    // Of one that the run goes on from, too; the best before it is no longer kept then.
    let next = CheckpointWriter(
      store, settings, latest: try Checkpoint(contentsOf: store.latestLink)
    ) { _ in }
    position = RunPosition(epoch: 2, iteration: 2)
    next.complete(position, isBest: true)
    // Not of another iteration.
    next.complete(RunPosition(iteration: 3), isBest: false)
    try next.finish()
    #expect(!next.isBusy)
    #expect(try store.names == ["iteration-000000002"])
    #expect(try Checkpoint(contentsOf: store.bestLink).verified().state.position == position)
  }

  @Test(arguments: [false, true]) func whatCannotBeWrittenStopsOrNot(goesOn: Bool) throws {
    var settings = Configuration.Checkpointing()
    settings.onError = goesOn ? .continue : .stop
    let reports = Mutex<[String]>([])
    let writer = CheckpointWriter(store, settings) { text in reports.withLock { $0.append(text) } }
    try write(writer, 1)
    writer.confirm()
    try writer.finish()
    // As root, permissions do not hold; a file in the way does.
    let moved = store.path + ".moved"
    try FileManager.default.moveItem(atPath: store.path, toPath: moved)
    try directory.write("", to: "checkpoints")
    try write(writer, 2)
    writer.confirm()
    if goesOn {
      try writer.finish()
      let report = try #require(reports.withLock { $0.first })
      #expect(report.hasPrefix("\(store.path): the checkpoint cannot be written: "))
      #expect(report.hasSuffix("the checkpoint before this one is as it was"))
    } else {
      #expect(throws: CheckpointError.self) { try writer.finish() }
    }
    try FileManager.default.removeItem(atPath: store.path)
    try FileManager.default.moveItem(atPath: moved, toPath: store.path)
    #expect(try store.names == ["iteration-000000001"])
    if goesOn {
      // Not at the end of a run, where there is no next one.
      try FileManager.default.moveItem(atPath: store.path, toPath: moved)
      try directory.write("", to: "checkpoints")
      try write(writer, 2)
      writer.confirm()
      #expect(throws: CheckpointError.self) { try writer.finish(isEnd: true) }
      try writer.finish()
      try FileManager.default.removeItem(atPath: store.path)
      try FileManager.default.moveItem(atPath: moved, toPath: store.path)
    }
    // The next one is tried again.
    try write(writer, 3)
    writer.confirm()
    try writer.finish()
    #expect(try store.names.first == "iteration-000000003")
  }

  /// Of one that could not be written nothing is known until training looks, which may be after the next.
  @Test(arguments: [false, true]) func aFailureIsOfOneCheckpoint(copies: Bool) throws {
    var settings = Configuration.Checkpointing()
    settings.onError = .continue
    let reports = Mutex<[String]>([])
    let writer = CheckpointWriter(store, settings) { text in reports.withLock { $0.append(text) } }
    try directory.write("", to: "checkpoints")
    try write(writer, 1)
    writer.confirm()
    // The next one waits for it.
    try writer.write(
      {
        try FileManager.default.removeItem(atPath: store.path)
        return try Snapshot(job.network, job.trainer.replica.optimizer, copies: copies)
      }(), .example(iteration: 2), isBest: false)
    writer.confirm()
    try writer.finish()
    #expect(reports.withLock { $0.count } == 1)
    #expect(try store.names == ["iteration-000000002"])
    _ = try Checkpoint(contentsOf: store.latestLink).verified()
  }
}
