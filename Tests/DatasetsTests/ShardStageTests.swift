import Foundation
import TestSupport
import Testing

@testable import Datasets

struct ShardStageTests {
  private let fixture: ShardFixture
  private let target: TemporaryDirectory
  private let index: ShardIndex

  init() throws {
    fixture = try ShardFixture()
    target = try TemporaryDirectory()
    index = try fixture.write()
  }

  private var local: String { target.file("disk/shards") }

  private func stage() throws -> ShardStage {
    try ShardStage(from: fixture.output.path, to: local)
  }

  private var staged: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: local).filter { !$0.hasPrefix(".") }
        .sorted()
    }
  }

  @Test func nodesGetTheShardsThatTheirRanksRead() throws {
    let stage = try stage()
    let all = index.splits["train"]!.shards + index.splits["val"]!.shards
    #expect(stage.shards(onNode: 0, of: [0]).map(\.file) == all.map(\.file))
    // Each rank has 6 of 24 samples and 2 of 6: one shard, and a third of the only one to validate.
    let files = [0, 2].map { stage.shards(onNode: $0, of: [0, 0, 2, 2]).map(\.file) }
    #expect(
      files == [
        ["train-000000.tar", "train-000001.tar", "val-000000.tar"],
        ["train-000002.tar", "train-000003.tar", "val-000000.tar"],
      ])
  }

  @Test func shardsAreNotStagedOntoThemselves() throws {
    try FileManager.default.createSymbolicLink(
      atPath: target.file("link"), withDestinationPath: fixture.output.path)
    for path in [fixture.output.path, target.file("link")] {
      #expect(throws: StagingError.ontoItself(path: path)) {
        try ShardStage(from: fixture.output.path, to: path)
      }
    }
  }

  @Test func copiesWhatIsMissingAndKeepsWhatIsIntact() throws {
    let stage = try stage()
    let shards = stage.shards(onNode: 2, of: [0, 0, 2, 2])
    var steps: [Int] = []
    let first = try stage.run(shards) { done, _ in steps.append(done) }
    #expect((first.kept, first.copied) == (0, 3))
    #expect(first.copiedBytes == shards.reduce(0) { $0 + $1.bytes })
    #expect(steps == [1, 2, 3])
    #expect(
      try staged == ["index.json", "train-000002.tar", "train-000003.tar", "val-000000.tar"])

    // One is damaged without a change of its size; another is wanted besides.
    let damaged = URL(fileURLWithPath: local + "/train-000003.tar")
    var bytes = try Data(contentsOf: damaged)
    bytes[1000] ^= 1
    try bytes.write(to: damaged)
    let second = try stage.run(shards + [index.splits["train"]!.shards[0]])
    #expect((second.kept, second.copied) == (2, 2))
    for file in try staged {
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: local + "/" + file))
          == Data(try fixture.content(of: file)), "\(file)")
    }
    let source = try ShardSource(path: local, splits: ["train"])
    for sample in 12..<24 { #expect(try !source.bytes(of: sample).isEmpty) }
  }

  @Test func severalProcessesStageOnce() async throws {
    let stage = try stage()
    let shards = stage.shards(onNode: 0, of: [0])
    let copied = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 { group.addTask { try stage.run(shards).copied } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(copied.sorted() == [0, 0, 0, 5])
  }

  @Test func shardsOfOtherDataAreNotMixed() throws {
    _ = try stage().run(stage().shards(onNode: 0, of: [0]))
    let other = try TemporaryDirectory()
    _ = try fixture.writer(seed: 2, to: other.path).run { _ in }
    let stage = try ShardStage(from: other.path, to: local)
    let problem = StagingError.otherShards(path: local, source: other.path)
    #expect(throws: problem) { _ = try stage.run(stage.shards(onNode: 0, of: [0])) }
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: local + "/train-000000.tar"))
        == Data(try fixture.content(of: "train-000000.tar")))
  }

  @Test func damagedShardsAreNotCopied() throws {
    let path = fixture.output.path + "/train-000001.tar"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[2000] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(throws: StagingError.damagedSource(path: path)) {
      _ = try stage().run(stage().shards(onNode: 0, of: [0]))
    }
    #expect(try staged == ["train-000000.tar"])
  }

  @Test func aPlaceThatCannotBeWrittenIsNamed() throws {
    try target.write("a file", to: "disk")
    let error = #expect(throws: StagingError.self) {
      _ = try stage().run(stage().shards(onNode: 0, of: [0]))
    }
    #expect(error?.description.hasPrefix(local + " cannot be written: ") == true)
  }
}
