import Foundation

/// The index while shards are being made, `index.partial.jsonl`: a line with the plan, then a line
/// for each complete shard. It goes when the index is written, and comes back if shards of a complete
/// index get lost.
final class ShardJournal {
  static let fileName = "index.partial.jsonl"

  private struct Entry: Codable {
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
    // Written anew, without the line at which an earlier run may have been broken off.
    var text = json(plan) + Data([0x0A])
    for entry in intact {
      text += json(entry) + Data([0x0A])
      finished[entry.split, default: [:]][entry.number] = entry.shard
    }
    try writeFile(path, text)
    guard let file = FileHandle(forUpdatingAtPath: path) else {
      throw .unwritable(path: path, reason: errorText())
    }
    self.file = file
  }

  private static func read(
    _ path: String, plan: ShardPlan, directory: String
  ) throws(DatasetError) -> [Entry] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    var bytes: [UInt8] = []
    try readFile(path, into: &bytes)
    let lines = bytes.split(separator: 0x0A).map { Data($0) }
    let decoder = JSONDecoder()
    guard let first = lines.first, let earlier = try? decoder.decode(ShardPlan.self, from: first)
    else { return [] }
    if let difference = earlier.difference(from: plan) {
      throw .otherShards(path: directory, reason: "begun, and " + difference)
    }
    return lines.dropFirst().compactMap { try? decoder.decode(Entry.self, from: $0) }
  }

  /// Enters a complete shard.
  func append(_ shard: ShardIndex.Shard, split: String, number: Int) throws(DatasetError) {
    let line = json(Entry(split: split, number: number, shard: shard)) + Data([0x0A])
    do {
      try file.seekToEnd()
      try file.write(contentsOf: line)
      try file.synchronize()
    } catch {
      throw .unwritable(path: path, reason: error.localizedDescription)
    }
  }

  func remove() {
    unlink(path)
  }
}
