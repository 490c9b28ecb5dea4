import Configuration
import Datasets
import Distributed
import Foundation
import Support

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
    (training, validation) = try splits.open()
    notes = splits.notes(training: training, validation: validation)
    try requireSameClasses(training: training, validation: validation)
  }

  /// Class names; a label is a position in this list.
  public var classes: [String] { training.classes }

  /// The splits as they are stored, each once.
  private var files: [any SampleSource] {
    if let part = validation as? ImageSubset { return [part.whole] }
    return [(training as? ImageSubset)?.whole ?? training, validation]
  }

  /// Directories in which every directory is a class, whatever it holds.
  var classDirectories: [String] {
    files.compactMap { source -> String? in
      switch source {
      case is ImageFolder: source.location
      case let recordings as EventFrames: recordings.classDirectory
      default: nil
      }
    }
  }

  /// What each rank has read of shards so far, a line each; nothing for other data. A collective.
  func readingSummary(_ communicator: any Communicator) throws -> [String] {
    let shards = files.compactMap { $0 as? ShardSource }
    guard !shards.isEmpty else { return [] }
    let bytes = try communicator.allGather(shards.reduce(0) { $0 + UInt64($1.bytesRead) })
    let files = try communicator.allGather(shards.reduce(0) { $0 + UInt64($1.shardsRead.count) })
    return zip(bytes, files).enumerated().map { rank, read in
      "rank \(rank) read \(Format.bytes(Int(read.0))) from " + Format.counted(Int(read.1), "shard")
    }
  }
}
