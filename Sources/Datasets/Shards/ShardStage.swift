import Foundation
import Support

/// Copies some of the shards of a directory to a faster one, such as a node's local disk, which then
/// serves as a directory of shards for whoever needs no others.
///
/// Shards that are there and intact stay. Those that are there and not wanted stay too.
public struct ShardStage: Sendable {
  /// What a call of `run` found and did.
  public struct Report: Sendable {
    /// Shards that were there, and that were copied.
    public var kept = 0
    public var copied = 0
    /// Of the copied shards.
    public var copiedBytes = 0

    public init() {}
  }

  private let source: String
  private let target: String
  private let index: ShardIndex

  /// - Parameters:
  ///   - source: the shards' directory.
  ///   - target: the directory to copy to; it is made if it is not there.
  /// - Throws: `DatasetError` about `source`; `StagingError` where both are the same.
  public init(from source: String, to target: String) throws {
    (self.source, self.target) = (source, target)
    guard resolved(source) != resolved(target) else { throw StagingError.ontoItself(path: target) }
    index = try ShardIndex(directory: source)
  }

  /// The shards of all splits that the ranks of a node read if each rank reads shards of its node only.
  ///
  /// - Parameter nodes: for each rank the number of its node.
  public func shards(onNode node: Int, of nodes: [Int]) -> [ShardIndex.Shard] {
    index.splits.sorted { $0.key < $1.key }.flatMap { _, split in
      ShardLocality(shardSizes: split.shards.map(\.samples), nodes: nodes).shards(onNode: node)
        .map { split.shards[$0] }
    }
  }

  /// Makes sure that these shards and the index are in the target.
  ///
  /// Of several processes that stage to one directory at a time, one works and the others wait for it.
  ///
  /// - Parameter progress: is called after each shard with the numbers of shards done and wanted.
  /// - Throws: `StagingError`, also if the target has shards of other data; `DatasetError`.
  public func run(
    _ shards: [ShardIndex.Shard], progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }
  ) throws -> Report {
    do {
      try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    } catch {
      throw StagingError.unwritable(path: target, reason: systemReason(of: error))
    }
    let lock = try lockTarget()
    defer { withExtendedLifetime(lock) {} }
    try requireSameData()

    let missing = shards.filter { checkFile(of: $0, directory: target) != nil }
    try requireSpace(for: missing)
    var report = Report()
    report.kept = shards.count - missing.count
    for shard in missing {
      try copy(shard)
      report.copied += 1
      report.copiedBytes += shard.bytes
      progress(report.kept + report.copied, shards.count)
    }
    try index.write(directory: target)
    return report
  }

  /// Waits for a process that has it.
  private func lockTarget() throws -> FileLock {
    let path = target + "/.lock"
    do {
      let lock = try FileLock(path: path)
      while lock.attempt() == .refused { usleep(50_000) }
      return lock
    } catch {
      throw StagingError.unwritable(path: path, reason: systemReason(of: error))
    }
  }

  private func requireSameData() throws {
    guard FileManager.default.fileExists(atPath: target + "/" + ShardIndex.fileName) else { return }
    // A damaged index does not say what else the directory is for, so it is not overwritten either.
    guard try ShardIndex(directory: target) == index else {
      throw StagingError.otherShards(path: target, source: source)
    }
  }

  private func requireSpace(for shards: [ShardIndex.Shard]) throws {
    // A damaged or partial file of the same name is replaced, so its bytes are not counted twice.
    let needed = shards.reduce(0) { $0 + $1.bytes }
    guard let system = FileSystem(path: target) else {
      throw StagingError.unwritable(path: target, reason: systemReason())
    }
    guard needed <= system.available else {
      throw StagingError.noSpace(path: target, needed: needed, available: system.available)
    }
  }

  private func copy(_ shard: ShardIndex.Shard) throws {
    let path = target + "/" + shard.file
    let input = try onFiles(RandomAccessFile(path: source + "/" + shard.file))
    unlink(path)
    do {
      let output = try PartialFile(path: path)
      var hash = XXHash64()
      try input.forEachPart(of: 1 << 20) { part throws(FileError) in
        part.withUnsafeBytes { hash.update($0) }
        try output.append(part)
      }
      guard Checksum.text(hash.value) == shard.checksum else {
        throw StagingError.damagedSource(path: input.path)
      }
      try output.finish()
    } catch FileError.unwritable(_, let reason) {
      throw StagingError.unwritable(path: path, reason: reason)
    } catch let error as FileError {
      throw DatasetError.file(error)
    }
  }
}

/// Why shards cannot be copied, and what to do.
public enum StagingError: Error, Equatable, CustomStringConvertible {
  case noSpace(path: String, needed: Int, available: Int)
  case otherShards(path: String, source: String)
  case damagedSource(path: String)
  case unwritable(path: String, reason: String)
  case ontoItself(path: String)

  public var description: String {
    switch self {
    case .noSpace(let path, let needed, let available):
      "\(path): the shards to copy need \(Self.mebibytes(needed)) MiB, and"
        + " \(Self.mebibytes(available)) MiB are free. Make room, name a directory on a larger disk,"
        + " use more nodes, or read the shards where they are, without staging."
    case .otherShards(let path, let source):
      "\(path) holds shards of other data than \(source). Remove it, or name another directory."
    case .damagedSource(let path):
      "\(path) is not as its index says: it is damaged. Find all such shards with"
        + " sltt-dist shard --verify, remove them, and make them again."
    case .unwritable(let path, let reason):
      "\(path) cannot be written: \(reason). Name a directory on a disk with room, writable for"
        + " you on every node."
    case .ontoItself(let path):
      "\(path) is where the shards are. Name another directory, or read them there, without staging."
    }
  }

  private static func mebibytes(_ bytes: Int) -> Int { (bytes + (1 << 20) - 1) >> 20 }
}
