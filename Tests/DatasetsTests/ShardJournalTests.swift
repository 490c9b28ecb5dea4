import Foundation
import TestSupport
import Testing

@testable import Datasets

struct ShardJournalTests {
  private let fixture: ShardFixture
  private let shards: [ShardIndex.Shard]
  private let plan: ShardPlan

  init() throws {
    fixture = try ShardFixture()
    let index = try fixture.write()
    shards = index.splits["train"]!.shards
    plan = try #require(index.plan)
  }

  private func journal(_ plan: ShardPlan? = nil) throws -> ShardJournal {
    try ShardJournal(directory: fixture.output.path, plan: plan ?? self.plan, index: nil)
  }

  private var bytes: [UInt8] {
    get throws { try fixture.content(of: ShardJournal.fileName) }
  }

  private func write(_ bytes: some Sequence<UInt8>) throws {
    try fixture.output.write(bytes, to: ShardJournal.fileName)
  }

  private func begin() throws {
    let journal = try journal()
    for number in 0..<2 { try journal.append(shards[number], split: "train", number: number) }
  }

  @Test func completeShardsAreTakenUp() throws {
    try begin()
    #expect(try journal().finished == ["train": [0: shards[0], 1: shards[1]]])
    let other = try fixture.writer(seed: 2).plan
    #expect(throws: DatasetError.self) { try journal(other) }
  }

  /// Files are compared with their checksums, but nothing else than the seal knows places and labels.
  @Test func damageNeverGivesAnotherShard() throws {
    try begin()
    let whole = try bytes
    for position in stride(from: 0, to: whole.count, by: 13) {
      var damaged = whole
      damaged[position] ^= 1
      try write(damaged)
      let finished = try journal().finished["train"] ?? [:]
      #expect(finished.count < 2 && finished.allSatisfy { shards[$0.key] == $0.value })
    }
    for length in stride(from: 0, to: whole.count, by: 97) {
      try write(whole.prefix(length))
      let finished = try journal().finished["train"] ?? [:]
      #expect(finished.count < 2 && finished.allSatisfy { shards[$0.key] == $0.value })
    }
  }

  @Test func whatWasWrittenWithoutSealsIsMadeAgain() throws {
    try begin()
    let lines = try bytes.split(separator: 0x0A).filter { !$0.starts(with: "\"checksum".utf8) }
    try write(lines.flatMap { $0.dropLast() + Array("}\n".utf8) })
    #expect(try journal().finished.isEmpty)
  }
}
