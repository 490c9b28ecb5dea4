import Foundation
import Support
import Tensors

/// Makes shards of a data set: tar archives in the layout of WebDataset, each a fair sample of its
/// split, and an `index.json`.
///
/// A sample is two files, `KEY.jpg` (or `KEY.png`) and `KEY.cls` with its label; KEY is its number in
/// the source and its file name there. Which sample goes where depends on the data set and the seed
/// only, and so does every byte of the shards.
///
/// The work can be broken off and taken up again: `ShardJournal` tells which shards are complete.
public struct ShardWriter {
  /// How large the shards become.
  public enum Division: Sendable, Equatable {
    /// So many shards of the training split, and of the validation split as many as give shards of
    /// about the same number of samples.
    case count(Int)
    /// Shards of about so many bytes; the size of a sample is estimated from some of them.
    case bytes(Int)
    /// Shards of about 256 MiB, or smaller ones so that there are 64 for ranks to share, but none of
    /// less than 8 samples.
    case automatic
  }

  public let output: String
  public let plan: ShardPlan
  /// By the names that splits have in shards.
  public let sources: [(split: String, source: any ImageSource)]
  /// What people should know of the sources.
  public let notes: [SplitNote]
  private let workers: Int

  /// Looks at the data set and plans the shards.
  ///
  /// - Parameters:
  ///   - source: anything that `ImageDataset` opens, except shards.
  ///   - train: `nil`: `ImageDataset.trainingSplits`, the first that is there.
  ///   - validation: `nil`: `ImageDataset.validationSplits`, the first that is there, or none.
  ///   - heldOutShare: of the training images, which are the validation split then; 0 for none, and `nil` for
  ///     a tenth where there is no validation split.
  ///   - resize: images with a longer shorter side are resized to that and encoded again.
  ///   - workers: threads; each makes one shard at a time.
  public init(
    source path: String, train: String? = nil, validation: String? = nil,
    heldOutShare: Double? = nil, output: String,
    division: Division, resize: Int?, seed: UInt64, workers: Int,
    listing: FolderListing.Method = .alone
  ) throws {
    precondition(workers > 0, "someone has to work")
    func open(_ splits: [String]) throws -> any ImageSource {
      try ImageDataset.open(path: path, splits: splits, listing: listing)
    }
    precondition(validation == nil || heldOutShare == nil, "one thing is validated on")
    let trainingSplits = train.map { [$0] } ?? ImageDataset.trainingSplits
    let validationSplits = validation.map { [$0] } ?? ImageDataset.validationSplits
    guard try ImageFormat(detecting: path, splits: trainingSplits) != .shards else {
      throw DatasetError.otherShards(path: path, reason: "the source is sharded already")
    }
    let training = try open(trainingSplits)
    var sources = [("train", training)]
    var notes: [SplitNote] = []
    if (heldOutShare ?? 0) == 0, let validation = try Self.validation(validation, open: open) {
      try requireSameClasses(training: training, validation: validation)
      sources.append(("val", validation))
      notes = validation.notes(in: path, splits: validationSplits)
    } else if heldOutShare != 0 {
      let parts = training.holdingOut(heldOutShare ?? 0.1)
      if parts.heldOut.count > 0 {
        sources = [("train", parts.training), ("val", parts.heldOut)]
        let count = Format.counted(parts.heldOut.count, "training image")
        notes = [SplitNote(title: "held out", text: "\(count), to validate on")]
      } else if heldOutShare != nil {
        throw DatasetError.nothingHeldOut(path: training.location)
      }
    }
    for (_, source) in sources
    where (resolved(output) + "/").hasPrefix(resolved(source.location) + "/") {
      throw DatasetError.outputInSplit(path: output, split: source.location)
    }
    self.sources = sources
    self.notes = training.notes(in: path, splits: trainingSplits) + notes
    self.output = output
    self.workers = workers
    plan = ShardPlan(
      source: path, seed: seed, resize: resize,
      samples: Dictionary(uniqueKeysWithValues: sources.map { ($0, $1.count) }),
      shards: try Self.shardCounts(sources, division, resize: resize, seed: seed),
      fingerprint: Self.fingerprint(sources.map(\.1)))
  }

  /// Makes the shards that are not there, and the index. If all are there, nothing is done.
  ///
  /// Images that cannot be decoded are left out and listed in the index; every other error ends the
  /// work, which a later call takes up again.
  ///
  /// - Parameter progress: is called about once a second.
  public func run(progress: @escaping (ShardingProgress) -> Void) throws -> ShardIndex {
    let earlier = try earlierIndex()
    if let earlier, earlier.isComplete(directory: output) { return earlier }
    do {
      try FileManager.default.createDirectory(
        atPath: output, withIntermediateDirectories: true)
    } catch {
      throw DatasetError.unwritable(path: output, reason: systemReason(of: error))
    }
    let journal = try ShardJournal(directory: output, plan: plan, index: earlier)
    let work = ShardingWork(
      jobs: sources.flatMap { split, source in jobs(split, source) }, journal: journal)
    let threads = (0..<min(workers, max(work.remaining, 1))).map { _ in
      WorkerThread { [output, plan] in
        while let job = work.next() {
          work.finish(job) { () throws(DatasetError) in
            try job.write(directory: output, resize: plan.resize, didSample: work.didSample)
          }
        }
      }
    }
    work.wait(progress: progress)
    for thread in threads { thread.join() }
    let shards = try work.result()
    let index = ShardIndex(
      classes: sources[0].source.classes, plan: plan,
      splits: shards.mapValues { ShardIndex.Split($0) })
    guard index.splits.values.allSatisfy({ $0.samples > 0 }) else {
      throw DatasetError.noSamples(path: plan.source)
    }
    try index.write(directory: output)
    journal.remove()
    return index
  }

  private func earlierIndex() throws -> ShardIndex? {
    guard FileManager.default.fileExists(atPath: output + "/" + ShardIndex.fileName) else {
      return nil
    }
    let index = try ShardIndex(directory: output)
    guard let earlier = index.plan else {
      throw DatasetError.otherShards(path: output, reason: "made by another program")
    }
    if let difference = earlier.difference(from: plan) {
      throw DatasetError.otherShards(path: output, reason: difference)
    }
    return index
  }

  private func jobs(_ split: String, _ source: any ImageSource) -> [ShardJob] {
    let order = Self.order(of: source.count, seed: plan.seed)
    let count = plan.shards[split]!
    return (0..<count).map { number in
      ShardJob(
        split: split, number: number, source: source,
        samples: Array(order[number * order.count / count..<(number + 1) * order.count / count]))
    }
  }

  private static func order(of count: Int, seed: UInt64) -> [Int32] {
    var order = Array(0..<Int32(count))
    var random = RandomStream(seed: seed, purpose: .shardOrder)
    order.permute(&random)
    return order
  }

  private static func validation(
    _ split: String?, open: ([String]) throws -> any ImageSource
  ) throws -> (any ImageSource)? {
    if let split { return try open([split]) }
    do {
      return try open(ImageDataset.validationSplits)
    } catch DatasetError.missingSplit {
      return nil
    }
  }

  private static func shardCounts(
    _ sources: [(String, any ImageSource)], _ division: Division, resize: Int?, seed: UInt64
  ) throws -> [String: Int] {
    let first = sources[0].1
    // A fraction, which division would round: samples of a shard are `samples / shards`.
    let (samples, shards): (Double, Double) =
      switch division {
      case .count(let count): (Double(first.count), Double(count))
      case .bytes(let bytes):
        (try max(1, Double(bytes) / meanSize(first, resize: resize, seed: seed)), 1)
      case .automatic:
        (
          try max(
            8,
            min(
              Double(256 << 20) / meanSize(first, resize: resize, seed: seed),
              Double(first.count) / 64)), 1
        )
      }
    return Dictionary(
      uniqueKeysWithValues: sources.map { split, source in
        let count = Int((Double(source.count) * shards / samples).rounded(.up))
        return (split, min(max(count, 1), source.count))
      })
  }

  /// Bytes that a sample takes in a shard, estimated from up to 64 of them.
  private static func meanSize(
    _ source: any ImageSource, resize: Int?, seed: UInt64
  ) throws -> Double {
    let reader = ShardSampleReader(source, shorterSide: resize)
    var (sum, count) = (0, 0)
    for sample in order(of: source.count, seed: seed).prefix(64) {
      do {
        try reader.read(Int(sample))
      } catch .undecodable {
        continue
      }
      // Two headers, the block of the label, and the end of the image's last block.
      sum += reader.bytes.count + 3 * 512 + 256
      count += 1
    }
    guard count > 0 else { throw DatasetError.noSamples(path: source.location) }
    return Double(sum) / Double(count)
  }

  private static func fingerprint(_ sources: [any ImageSource]) -> String {
    var hash = XXHash64()
    for source in sources {
      for name in source.classes { hash.update(name: name) }
      for sample in 0..<source.count {
        hash.update(name: source.name(of: sample).dropFirst(source.location.count))
      }
    }
    return Checksum.text(hash.value)
  }
}
