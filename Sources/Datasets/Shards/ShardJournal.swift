import Foundation
import Support

/// The index while shards are being made, `index.partial.jsonl`: a record of the plan, then one of each
/// complete shard, each sealed. It goes when the index is written, and comes back if shards of a
/// complete index get lost.
final class ShardJournal {
  static let fileName = "index.partial.jsonl"

  private struct Beginning: JournalRecord {
    var version = Beginning.currentVersion
    let plan: ShardPlan
  }

  private struct Entry: JournalRecord {
    var version = Entry.currentVersion
    let split: String
    let number: Int
    let shard: ShardIndex.Shard
  }

  private let path: String
  private let file: FileHandle
  /// Shards that were complete before, and still are, by split and number.
  private(set) var finished: [String: [Int: ShardIndex.Shard]] = [:]

  /// Begins a journal, or takes an earlier one up. Shards that are not there any more, or whose
  /// checksum is another, are not finished.
  ///
  /// - Parameter index: of the same plan, whose shards count as if the journal had them.
  /// - Throws: `DatasetError.otherShards` if the earlier one has another plan.
  init(directory: String, plan: ShardPlan, index: ShardIndex?) throws(DatasetError) {
    path = directory + "/" + Self.fileName
    var entries = try Self.read(path, plan: plan, directory: directory)
    for (split, content) in index?.splits ?? [:] {
      entries += content.shards.enumerated().map {
        Entry(split: split, number: $0.offset, shard: $0.element)
      }
    }
    let intact = entries.filter { checkFile(of: $0.shard, directory: directory) == nil }
    // Written anew, without what an earlier run may have left unfinished at the end.
    var text = Beginning(plan: plan).document()
    for entry in intact {
      text += entry.document()
      finished[entry.split, default: [:]][entry.number] = entry.shard
    }
    try onFiles(writeFile(path, text))
    guard let file = FileHandle(forUpdatingAtPath: path) else {
      throw .unwritable(path: path, reason: systemReason())
    }
    self.file = file
  }

  private static func read(
    _ path: String, plan: ShardPlan, directory: String
  ) throws(DatasetError) -> [Entry] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    var bytes: [UInt8] = []
    try onFiles(readFile(path, into: &bytes))
    let documents = sealedDocuments(in: Data(bytes))
    guard let first = documents.first, let earlier = try? Beginning(document: first).plan else {
      return []
    }
    if let difference = earlier.difference(from: plan) {
      throw .otherShards(path: directory, reason: "begun, and " + difference)
    }
    return documents.dropFirst().compactMap { try? Entry(document: $0) }
  }

  /// Enters a complete shard.
  func append(_ shard: ShardIndex.Shard, split: String, number: Int) throws(DatasetError) {
    do {
      try file.seekToEnd()
      try file.write(contentsOf: Entry(split: split, number: number, shard: shard).document())
      try file.synchronize()
    } catch {
      throw .unwritable(path: path, reason: systemReason(of: error))
    }
  }

  func remove() {
    unlink(path)
  }
}

/// What is damaged, or was written before records were sealed, is as if it were not there: its shard is
/// made again.
private protocol JournalRecord: SealedRecord {}

extension JournalRecord {
  static var versionKey: String { "version" }
  static var currentVersion: Int { 1 }
  static var firstSealedVersion: Int { 1 }

  func isIntact(unsealed document: Data) -> Bool { false }
}
