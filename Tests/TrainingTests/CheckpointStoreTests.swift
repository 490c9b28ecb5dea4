import Foundation
import TestSupport
import Testing

@testable import Training

struct CheckpointStoreTests {
  private let directory: TemporaryDirectory
  private let store: CheckpointStore
  private let job: SmallJob

  init() throws {
    (directory, store, job) = try SmallJob.withCheckpoints()
  }

  private func commit(_ iteration: Int, isBest: Bool = false, keeping: Int = 2) throws {
    let temporary = store.temporaryPath(iteration: iteration)
    try FileManager.default.createDirectory(
      atPath: temporary, withIntermediateDirectories: true)
    try Checkpoint.write(
      try Snapshot(job.network, job.trainer.replica.optimizer), .example(iteration: iteration),
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
    #expect(try store.isEmpty)
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

  @Test func whatCameAfterTheCheckpointOfANewCourseIsKeptAside() throws {
    try commit(1)
    try commit(2, isBest: true, keeping: 9)
    for iteration in [3, 3, 4] { try commit(iteration, keeping: 9) }
    let last = try Checkpoint(contentsOf: store.latestLink)
    #expect(try store.goOn(from: last) == [])
    let third = try Checkpoint(contentsOf: store.path + "/iteration-000000003")
    #expect(
      try store.goOn(from: third) == ["iteration-000000004", "iteration-000000003-2"])
    #expect(
      try contents == [
        "best", "iteration-000000001", "iteration-000000002", "iteration-000000003",
        "iteration-000000003-2.abandoned", "iteration-000000004.abandoned", "latest",
      ])
    var reports: [String] = []
    #expect(try newest(&reports) == 3 && reports.isEmpty)
    // The best one is of another course, too, where it came later.
    let first = try Checkpoint(contentsOf: store.path + "/iteration-000000001")
    #expect(try store.goOn(from: first).count == 2)
    #expect(try newest(&reports) == 1 && reports.isEmpty)
    #expect(try !contents.contains("best"))
    try commit(4, keeping: 9)
    #expect(try store.goOn(from: first) == ["iteration-000000004"])
    #expect(try contents.count { $0.contains("abandoned") } == 5)
    #expect(try contents.contains("iteration-000000004.abandoned-2"))
  }

  @Test func theLinksNameACheckpointToo() throws {
    for iteration in 1...2 { try commit(iteration, isBest: iteration == 1) }
    let best = try Checkpoint(contentsOf: store.bestLink)
    #expect(try store.goOn(from: best) == ["iteration-000000002"])
    #expect(try Checkpoint(contentsOf: store.latestLink).state.position.iteration == 1)
    #expect(try contents.contains("best"))
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

  private func name(_ iteration: Int) -> String { CheckpointStore.name(iteration: iteration) }

  private func damage(_ iteration: Int) throws {
    try directory.write("x", to: "checkpoints/\(name(iteration))/optimizer.safetensors")
  }

  /// What its checksum proves to be damaged is kept, under a name by which nobody takes it for good. What
  /// lacks a file keeps its name.
  @Test func passesOverWhatIsNotIntact() throws {
    for iteration in 1...4 { try commit(iteration, keeping: 4) }
    try directory.write("{}", to: "checkpoints/\(name(4))/state.json")
    try damage(3)
    try FileManager.default.removeItem(atPath: store.path + "/\(name(2))/model.safetensors")
    let all = try contents
    var reports: [String] = []
    #expect(
      try store.newestIntact(renamesDamaged: false) { reports.append($0) }.path.hasSuffix(name(1)))
    #expect(try contents == all)
    reports = []
    #expect(try newest(&reports) == 1)
    #expect(reports.count == 4)
    #expect(reports[0].contains("state.json is damaged"))
    #expect(reports[1].contains("optimizer.safetensors is damaged"))
    #expect(reports[2].contains("is not complete: it has no model.safetensors"))
    #expect(reports[3] == "going back to the checkpoint iteration-000000001")
    #expect(
      try contents.filter { $0.hasSuffix(".damaged") } == [
        name(3) + ".damaged", name(4) + ".damaged",
      ])
    reports = []
    try commit(5)
    #expect(try newest(&reports) == 5 && reports.isEmpty)
  }

  /// A newer program's checkpoint, and a file that gives no bytes now.
  @Test func whatCannotBeReadIsLeftAloneAndNothingOlderTaken() throws {
    for iteration in 1...2 { try commit(iteration) }
    let state = store.path + "/\(name(2))/state.json"
    let text = try String(contentsOfFile: state, encoding: .utf8)
    try directory.write(
      text.replacingOccurrences(of: "\"format_version\" : 2", with: "\"format_version\" : 99"),
      to: "checkpoints/\(name(2))/state.json")
    let all = try contents
    var reports: [String] = []
    for _ in 1...2 {
      let problem = message { _ = try newest(&reports) }
      #expect(problem.contains("format version 99, and this program reads up to 2"))
      #expect(problem.contains("Nothing was changed"))
    }
    try directory.write(text, to: "checkpoints/\(name(2))/state.json")
    let model = store.path + "/\(name(2))/model.safetensors"
    try FileManager.default.removeItem(atPath: model)
    try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: false)
    #expect(message { _ = try newest(&reports) }.contains("model.safetensors cannot be read"))
    func link(_ path: String) throws {
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: directory.file("elsewhere/file"))
    }
    for file in [model, state] {
      try FileManager.default.removeItem(atPath: file)
      #expect(mkfifo(file, 0o600) == 0)
      #expect(message { _ = try newest(&reports) }.contains("it is not a regular file"))
      // As where a disk has not been mounted.
      try link(file)
      #expect(message { _ = try newest(&reports) }.contains("a link to something that is not"))
    }
    try link(store.path + "/" + name(2))
    #expect(message { _ = try newest(&reports) }.contains("a link to something that is not"))
    #expect(try contents == all && reports.isEmpty)
  }

  @Test func aDirectoryThatCannotBeReadIsNotEmpty() throws {
    #expect(try store.isEmpty)
    #expect(try store.names.isEmpty)
    try directory.write("", to: "checkpoints")
    #expect(message { _ = try store.isEmpty }.contains("checkpoints cannot be read: "))
    #expect(message { _ = try store.names }.contains("checkpoints cannot be read: "))
  }

  @Test func saysThatThereIsNone() throws {
    var reports: [String] = []
    #expect(message { _ = try newest(&reports) }.contains("holds none of the run's checkpoints"))
    try commit(1)
    try damage(1)
    let none = "\(store.path) holds no intact checkpoint, only \(name(1)).damaged: bring one back"
    #expect(message { _ = try newest(&reports) }.hasPrefix(none))
    // Another one of that iteration.
    try commit(1)
    try damage(1)
    #expect(
      message { _ = try newest(&reports) }
        .contains("only \(name(1)).damaged, \(name(1)).damaged-2: bring"))
    // What was there counts, so that nothing is begun over it.
    #expect(try !store.isEmpty)
    try FileManager.default.removeItem(atPath: store.path)
    #expect(try !store.isEmpty)
  }

  /// As `cp -rL` makes them, and object stores, which know no links.
  @Test func copiesWithoutLinksGoOn() throws {
    try commit(1, isBest: true)
    try commit(2)
    for (link, name) in [(store.latestLink, name(2)), (store.bestLink, name(1))] {
      try FileManager.default.removeItem(atPath: link)
      try FileManager.default.copyItem(atPath: store.path + "/" + name, toPath: link)
    }
    try store.prepare()
    func targets() throws -> [String] {
      try [store.latestLink, store.bestLink].map {
        try FileManager.default.destinationOfSymbolicLink(atPath: $0)
      }
    }
    #expect(try targets() == [name(2), name(1)])
    #expect(try contents == ["best", name(1), name(2), "latest"])

    // The only copy of a checkpoint is kept, under the name that it had.
    try FileManager.default.removeItem(atPath: store.latestLink)
    try FileManager.default.moveItem(atPath: store.path + "/" + name(2), toPath: store.latestLink)
    try store.prepare()
    #expect(try targets() == [name(2), name(1)])
    var reports: [String] = []
    #expect(try newest(&reports) == 2)

    try FileManager.default.removeItem(atPath: store.latestLink)
    try FileManager.default.removeItem(atPath: store.bestLink)
    let found = try Checkpoint.locate(at: directory.path) { reports.append($0) }
    #expect(found?.state.position.iteration == 2)
    #expect(reports.count == 1 && reports[0].contains("has no links"))
    try commit(3)
    #expect(try contents == [name(2), name(3), "latest"])
  }

  @Test func removesWhatAKilledRunHasLeft() throws {
    try commit(1)
    for name in [".iteration-000000002.partial", ".iteration-000000001.removed"] {
      try FileManager.default.createDirectory(
        atPath: store.path + "/" + name, withIntermediateDirectories: false)
    }
    try directory.write("", to: "checkpoints/notes.txt")
    #expect(try store.names == ["iteration-000000001"])
    try store.prepare()
    #expect(try contents == ["iteration-000000001", "latest", "notes.txt"])
  }
}
