import Distributed
import Foundation
import TestSupport
import Testing

@testable import Training

struct CheckpointStoreTests {
  private let directory: TemporaryDirectory
  private let store: CheckpointStore
  private let job: SmallJob

  init() throws {
    directory = try TemporaryDirectory()
    store = CheckpointStore(run: directory.path)
    job = try SmallJob(["model.blocks=[1]", "model.width=4"], SingleProcess())
  }

  private func commit(_ iteration: Int, isBest: Bool = false, keeping: Int = 2) throws {
    let temporary = store.temporaryPath(iteration: iteration)
    try FileManager.default.createDirectory(
      atPath: temporary, withIntermediateDirectories: true)
    try Checkpoint.write(
      try Snapshot(job.network, job.trainer.optimizer), .example(iteration: iteration),
      to: temporary)
    try store.commit(iteration: iteration, isBest: isBest, keeping: keeping)
  }

  private var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: store.path).sorted() }
  }

  private func newest(_ reports: inout [String]) throws -> Int {
    try store.newestIntact { reports.append($0) }.state.position.iteration
  }

  @Test func keepsTheLastOnesAndTheBest() throws {
    #expect(store.isEmpty)
    try commit(1, isBest: true)
    for iteration in 2...4 { try commit(iteration) }
    #expect(
      try contents == [
        "best", "iteration-000000001", "iteration-000000003", "iteration-000000004", "latest",
      ])
    #expect(try Checkpoint(contentsOf: store.bestLink).state.position.iteration == 1)
    #expect(try Checkpoint(contentsOf: store.latestLink).state.position.iteration == 4)
    var reports: [String] = []
    #expect(try newest(&reports) == 4 && reports.isEmpty)
    try commit(5, isBest: true, keeping: 1)
    #expect(try contents == ["best", "iteration-000000005", "latest"])
  }

  /// What is there under the same number stays until the new one is complete.
  @Test func comesToTheSameIterationAgain() throws {
    try commit(3)
    try commit(3)
    #expect(try contents == ["iteration-000000003", "iteration-000000003-2", "latest"])
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: store.latestLink)
        == "iteration-000000003-2")
    try commit(3, keeping: 1)
    #expect(try contents == ["iteration-000000003-3", "latest"])
  }

  @Test func passesOverDamagedOnes() throws {
    for iteration in 1...3 { try commit(iteration, keeping: 3) }
    try directory.write(
      "{}", to: "checkpoints/\(CheckpointStore.name(iteration: 3))/state.json")
    try FileManager.default.removeItem(
      atPath: store.path + "/\(CheckpointStore.name(iteration: 2))/model.safetensors")
    var reports: [String] = []
    #expect(try newest(&reports) == 1)
    #expect(reports.count == 3)
    #expect(reports[0].contains("state.json is damaged"))
    #expect(reports[1].contains("model.safetensors"))
    #expect(reports[2] == "going back to the checkpoint iteration-000000001")
    // They are kept, under names by which nobody takes them for good.
    #expect(try contents.filter { $0.hasSuffix(".damaged") }.count == 2)
    reports = []
    try commit(2)
    #expect(try newest(&reports) == 2 && reports.isEmpty)
  }

  @Test func saysThatThereIsNone() throws {
    var reports: [String] = []
    #expect(message { _ = try newest(&reports) } == "\(store.path) holds no checkpoint")
    try commit(1)
    try directory.write(
      "x", to: "checkpoints/\(CheckpointStore.name(iteration: 1))/optimizer.safetensors")
    #expect(
      message { _ = try newest(&reports) }
        == "\(store.path) holds no intact checkpoint: all 1 are damaged")
  }

  @Test func removesWhatAKilledRunHasLeft() throws {
    try commit(1)
    for name in [".iteration-000000002.partial", ".iteration-000000001.removed"] {
      try FileManager.default.createDirectory(
        atPath: store.path + "/" + name, withIntermediateDirectories: false)
    }
    try directory.write("", to: "checkpoints/notes.txt")
    #expect(store.names == ["iteration-000000001"])
    store.removeRemains()
    #expect(try contents == ["iteration-000000001", "latest", "notes.txt"])
  }
}
