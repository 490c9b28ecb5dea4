import Configuration
import Datasets
import Distributed
import Foundation
import Support

/// What a run needs to go on, besides tensors: `state.json` of a checkpoint.
///
/// It carries the checksums of the other files and a seal of its own, so that damage anywhere in a
/// checkpoint is noticed.
public struct RunState: SealedRecord, Equatable, Sendable {
  public static let versionKey = "formatVersion"
  public static let currentVersion = 2
  public static let firstSealedVersion = 2

  /// Of the layout of checkpoints.
  var formatVersion = RunState.currentVersion
  /// Where the run stood.
  public var position: RunPosition
  /// Optimizer updates so far.
  public var updates: Int
  /// Determines every random choice.
  public var seed: UInt64
  /// Samples of an iteration, by which the position counts.
  public var globalBatch: Int
  /// Samples of the training split, by which an epoch counts.
  public var trainingSamples: Int
  /// Stands for their list; nil in checkpoints of version 1.
  public var trainingList: SampleListHash?
  /// Stands for the weights of the teacher; nil where there is none.
  public var teacher: String?
  /// The resolved configuration, as YAML.
  public var configuration: String
  /// Class names; a label is a position in this list.
  public var classes: [String]
  /// Ranks of the run. Another number goes on with the same batches, rounded differently.
  public var worldSize: Int
  /// What besides the number of ranks determines how sums over the ranks are rounded.
  public var reduction: Reduction
  /// The checkpoint's other files, by name.
  var files: [String: File] = [:]
  /// In version 1, of all the rest.
  private var checksum: String?

  /// How gradients were added up over the ranks.
  public struct Reduction: Codable, Equatable, Sendable {
    /// The MPI operation.
    package var algorithm: String
    /// Floats in one all-reduce.
    package var chunkLength: Int
  }

  /// A file as it was written.
  struct File: Codable, Equatable, Sendable {
    var bytes: Int
    var checksum: String
  }

  init(
    position: RunPosition, updates: Int, configuration: Configuration, classes: [String],
    trainingSamples: Int, trainingList: SampleListHash, teacher: String? = nil, worldSize: Int,
    reduction: Reduction
  ) {
    self.position = position
    self.updates = updates
    seed = configuration.training.seed
    globalBatch = configuration.training.globalBatch
    self.trainingSamples = trainingSamples
    self.trainingList = trainingList
    self.teacher = teacher
    self.configuration = configuration.yaml
    self.classes = classes
    self.worldSize = worldSize
    self.reduction = reduction
  }

  /// Reads and checks a file's content.
  ///
  /// - Parameter path: for messages.
  /// - Throws: `CheckpointError`.
  init(json: Foundation.Data, path: String) throws(CheckpointError) {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      self = try RunState(document: json, decoder: decoder)
    } catch {
      throw CheckpointError(
        path: path, problem: error.description,
        finding: error.isDamage ? .damaged : .unusable)
    }
    (formatVersion, checksum) = (Self.currentVersion, nil)
  }

  /// Version 1 has a checksum of the record as this program encodes it.
  public func isIntact(unsealed document: Foundation.Data) -> Bool {
    var record = self
    record.checksum = nil
    return Checksum.of(record) == checksum
  }

  /// The file's content.
  var json: Foundation.Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return document(encoder: encoder)
  }
}

extension SealedRecordFault {
  /// Whether the document is not what was written, whoever reads it.
  fileprivate var isDamage: Bool {
    if case .damaged = self { true } else { false }
  }
}
