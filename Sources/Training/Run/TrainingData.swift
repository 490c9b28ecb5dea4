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
  /// What people should know of the splits.
  public let notes: [SplitNote]

  /// Opens what the configuration names, on all ranks together.
  ///
  /// - Throws: as `DataSplits`, and where the splits have different classes.
  public init(
    _ configuration: Configuration, _ communicator: any Communicator = SingleProcess()
  ) throws {
    let splits = try DataSplits(configuration, communicator)
    name = splits.name
    training = try splits.openTraining()
    validation = try splits.openValidation()
    notes = splits.notes(training: training, validation: validation)
    try requireSameClasses(training: training, validation: validation)
  }

  /// Class names; a label is a position in this list.
  public var classes: [String] { training.classes }

  /// Directories in which every directory is a class, whatever it holds.
  var classDirectories: [String] {
    [training, validation].compactMap { source -> String? in
      switch source {
      case is ImageFolder: source.location
      case let recordings as EventFrames: recordings.classDirectory
      default: nil
      }
    }
  }

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
      workers: workers(threads: threads), onBadSample: badSamplePolicy(communicator),
      progress: communicator.activity.touch)
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
