import Datasets
import Distributed
import Foundation

/// The two splits of a run's data set, opened and checked.
public struct TrainingData {
  /// Samples to learn from.
  public let training: any SampleSource
  /// Samples to measure the accuracy on.
  public let validation: any SampleSource
  /// For messages.
  public let name: String

  /// Opens what the configuration names, on all ranks together.
  ///
  /// - Parameter activity: where signs of progress are noted.
  /// - Throws: `DatasetError`, `ConfigurationError`; `DifferentData` where ranks see different samples.
  public init(
    _ configuration: Configuration, _ communicator: any Communicator = SingleProcess(),
    activity: ActivityRecord = ActivityRecord()
  ) throws {
    activity.enter(.openingData)
    let path = try configuration.data.path ?? EmbeddedData.mnistPath()
    name = configuration.data.path ?? "embedded MNIST"
    if let format = configuration.eventFormat {
      training = try configuration.openEvents(format, path, .training)
      validation = try configuration.openEvents(format, path, .validation)
    } else {
      try configuration.requireNoEventKeys()
      training = try configuration.openImages(
        path, split: configuration.data.train, communicator, activity)
      validation = try configuration.openImages(
        path, split: configuration.data.validation, communicator, activity)
    }
    try requireSameClasses(training: training, validation: validation)
    // An image folder is listed by rank 0 for all; of everything else each rank reads an index of its own.
    for source in [training, validation] where !(source is ImageFolder) {
      try communicator.checkSameSamples(of: source)
    }
  }

  /// Class names; a label is a position in this list.
  public var classes: [String] { training.classes }

  /// What each rank has read of shards so far, a line each; nothing for other data. A collective.
  func readingSummary(_ communicator: any Communicator) throws -> [String] {
    let shards = [training, validation].compactMap { $0 as? ShardSource }
    guard !shards.isEmpty else { return [] }
    let bytes = try communicator.allGather(shards.reduce(0) { $0 + UInt64($1.bytesRead) })
    let files = try communicator.allGather(shards.reduce(0) { $0 + UInt64($1.shardsRead.count) })
    return zip(bytes, files).enumerated().map { rank, read in
      "rank \(rank) read \(Format.bytes(Int(read.0))) from \(read.1) shards"
    }
  }
}

extension Configuration {
  /// The format of the images at `path`.
  ///
  /// - Throws: `ConfigurationError` where `data.format` says another.
  fileprivate func imageFormat(of path: String) throws -> ImageFormat {
    let found = try ImageFormat(detecting: path)
    guard data.format != .auto, data.format.rawValue != found.rawValue else { return found }
    throw error(
      "data.format",
      "is \(data.format.rawValue), but \(path) looks like \(found.rawValue): leave it at auto")
  }

  fileprivate func openImages(
    _ path: String, split: String, _ communicator: any Communicator, _ activity: ActivityRecord
  ) throws -> any ImageSource {
    guard [1, 3].contains(inputChannels) else {
      throw error(
        "model.input_channels",
        "= \(inputChannels), but images have 1 channel (gray) or 3 (colour), and only recordings of"
          + " events have 2: set it to 1 or 3, or leave it out")
    }
    let format = try imageFormat(of: path)
    if data.sharding == .nodeLocal && format != .shards {
      throw error(
        "data.sharding",
        "= node-local, but \(path) is not sharded: make shards with sltt-dist shard, or set it to"
          + " global")
    }
    return try ImageDataset.open(
      path: path, split: split, format: format,
      listing: FolderListing.Method(
        isRoot: communicator.isRoot, broadcast: { try communicator.broadcast($0, root: 0) },
        progress: {
          activity.touch()
          print($0)
        }))
  }

  /// This rank's way through a split.
  func loader(
    _ source: any SampleSource, isTraining: Bool, _ communicator: any Communicator, threads: Int
  ) throws -> DataLoader {
    if isTraining { try validate(ranks: communicator.size, samples: source.count) }
    let sampler = Sampler(
      sampleCount: source.count, globalBatch: training.globalBatch, rank: communicator.rank,
      rankCount: communicator.size,
      order: isTraining ? .shuffled(seed: training.seed) : .sequential,
      dropsLast: isTraining && data.dropsLast, locality: try locality(of: source, communicator))
    return DataLoader(
      try input(source, isTraining: isTraining), sampler: sampler,
      mixing: isTraining ? data.mixing : BatchMixing(), seed: training.seed,
      workers: workers(threads: threads),
      onBadSample: badSamplePolicy(communicator))
  }

  /// Which shards are whose, under `data.sharding: node-local`.
  private func locality(
    of source: any SampleSource, _ communicator: any Communicator
  ) throws -> ShardLocality? {
    guard data.sharding == .nodeLocal, let shards = source as? ShardSource else { return nil }
    return ShardLocality(shardSizes: shards.shardSizes, nodes: try communicator.nodes())
  }

  private func badSamplePolicy(_ communicator: any Communicator) -> BadSamplePolicy {
    switch data.onBadSample {
    case .fail: return .fail
    case .skip:
      let rank = communicator.rank
      return .skip(limit: data.maxBadSamples) { error in
        let line = "rank \(rank) skips a sample: \(error)\n"
        try? FileHandle.standardError.write(contentsOf: Foundation.Data(line.utf8))
      }
    }
  }

  /// What the network gets of a split.
  func input(
    _ source: any SampleSource, isTraining: Bool
  ) throws -> any SampleInput {
    switch source {
    case let images as any ImageSource:
      let transform = try ImageTransform(
        steps: data.steps(isTraining: isTraining), normalization: data.normalization,
        imageSize: data.imageSize, channels: inputChannels)
      return ImageInput(images, transform, decoding: data.decoding)
    case let recordings as EventFrames:
      return EventInput(recordings, eventTransform(isTraining: isTraining))
    default:
      preconditionFailure("TrainingData opens no other sources")
    }
  }

  /// Decoding takes little beside training: a worker for every four threads keeps ahead.
  func workers(threads: Int) -> Int { data.workers ?? max(1, threads / 4) }
}
