import Foundation
import Support
import Synchronization

/// A split of a directory of shards, as `ShardWriter` makes it. A sample is one read in its shard; a
/// shard is opened when its first sample is read, so shards that are not used need not be there.
public final class ShardSource: ImageSource {
  public let location: String
  public let classes: [String]
  public let labels: [Int32]
  /// The number of samples in each shard; the samples of a shard follow one another.
  public let shardSizes: [Int]
  private let directory: String
  private let shards: [ShardIndex.Shard]
  /// The first sample of each shard.
  private let starts: [Int]
  private let files: Mutex<[RandomAccessFile?]>
  private let bytes = Atomic<Int>(0)

  /// - Parameter splits: the first of them that is there counts: `train`, or `val`, which may also be
  ///   called `validation` or `test`.
  public init(path: String, splits: [String]) throws(DatasetError) {
    let index = try ShardIndex(directory: path)
    let names = splits + splits.compactMap { StandardSplit(name: $0)?.shardName }
    guard let name = names.first(where: { index.splits[$0] != nil }),
      let content = index.splits[name]
    else {
      throw .missingSplit(path: path, splits: splits, available: index.splits.keys.sortedByBytes())
    }
    directory = path
    location = path + ":" + name
    classes = index.classes
    shards = content.shards
    shardSizes = content.shards.map(\.samples)
    labels = content.shards.flatMap { $0.labels.map { Int32($0) } }
    var starts: [Int] = []
    var next = 0
    for shard in content.shards {
      starts.append(next)
      next += shard.samples
    }
    self.starts = starts
    files = Mutex(Array(repeating: nil, count: content.shards.count))
    raiseLimitOfOpenFiles()
  }

  /// Bytes of images read so far.
  public var bytesRead: Int { bytes.load(ordering: .relaxed) }

  /// The shards of which samples were read so far.
  public var shardsRead: [String] {
    let isOpen = files.withLock { files in files.map { $0 != nil } }
    return zip(shards, isOpen).filter(\.1).map(\.0.file)
  }

  /// The shard's file and the key of the sample in it.
  public func name(of index: Int) -> String {
    let (shard, sample) = place(of: index)
    let path = directory + "/" + shards[shard].file
    var header: [UInt8] = []
    let start = shards[shard].offsets[sample] - 512
    guard let file = try? file(shard), (try? file.read(start..<start + 100, into: &header)) != nil
    else { return "\(path), sample \(sample)" }
    let name = RawPath(Array(header.prefix { $0 != 0 }))
    return "\(path), key \(WebDatasetMember(name)?.key ?? "\(name)")"
  }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    let (shard, sample) = place(of: index)
    let (offset, size) = (shards[shard].offsets[sample], shards[shard].sizes[sample])
    let file = try file(shard)
    try onFiles(file.read(offset..<offset + size, into: &bytes))
    self.bytes.add(size, ordering: .relaxed)
  }

  /// Within the shard, because others need not be at hand.
  public func substitutes(for index: Int) -> Range<Int> {
    let shard = place(of: index).shard
    return starts[shard]..<starts[shard] + shardSizes[shard]
  }

  /// Of the shards' checksums, since the names lie in the shards.
  public var listingHash: UInt64 {
    var hash = XXHash64()
    for shard in shards {
      hash.update(name: shard.file)
      hash.update(name: shard.checksum)
    }
    return hash.value
  }

  private func place(of index: Int) -> (shard: Int, sample: Int) {
    // The last shard that begins at or before the sample; empty shards begin where the next does.
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= index { low = middle } else { high = middle }
    }
    return (low, index - starts[low])
  }

  private func file(_ shard: Int) throws(DatasetError) -> RandomAccessFile {
    if let file = files.withLock({ $0[shard] }) { return file }
    let file = try onFiles(RandomAccessFile(path: directory + "/" + shards[shard].file))
    guard file.size == shards[shard].bytes else {
      throw .damaged(
        path: file.path, offset: min(file.size, shards[shard].bytes),
        reason: "it has \(file.size) bytes, and \(ShardIndex.fileName) says \(shards[shard].bytes)")
    }
    return files.withLock { files in
      files[shard] = files[shard] ?? file
      return files[shard]!
    }
  }
}

extension StandardSplit {
  /// Its name in shards.
  var shardName: String {
    switch self {
    case .training: "train"
    case .validation: "val"
    }
  }
}

/// One open file for each shard may be more than the 1,024 that are usual at first.
private func raiseLimitOfOpenFiles() {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
