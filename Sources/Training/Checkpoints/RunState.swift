import Datasets
import Distributed
import Foundation

/// What a run needs to go on, besides tensors: `state.json` of a checkpoint.
///
/// It carries the checksums of the other files and of itself, so that damage anywhere in a checkpoint is
/// noticed.
public struct RunState: Codable, Equatable, Sendable {
  static let currentVersion = 1

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
  /// Of all the rest.
  private var checksum: String?

  /// How gradients were added up over the ranks.
  public struct Reduction: Codable, Equatable, Sendable {
    /// The MPI operation.
    var algorithm: String
    /// Floats in one all-reduce.
    var chunkLength: Int
  }

  /// A file as it was written.
  struct File: Codable, Equatable, Sendable {
    var bytes: Int
    var checksum: String
  }

  init(
    position: RunPosition, updates: Int, configuration: Configuration, classes: [String],
    trainingSamples: Int, worldSize: Int, reduction: Reduction
  ) {
    self.position = position
    self.updates = updates
    seed = configuration.training.seed
    globalBatch = configuration.training.globalBatch
    self.trainingSamples = trainingSamples
    self.configuration = configuration.yaml
    self.classes = classes
    self.worldSize = worldSize
    self.reduction = reduction
  }

  /// Reads and checks a file's content.
  ///
  /// - Parameter path: for messages.
  /// - Throws: `CheckpointError`.
  init(json: Foundation.Data, path: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    struct Version: Decodable { var formatVersion: Int }
    if let version = try? decoder.decode(Version.self, from: json).formatVersion,
      version > Self.currentVersion
    {
      throw CheckpointError(
        path: path,
        problem: "has format version \(version), and this program reads up to"
          + " \(Self.currentVersion): use a newer one")
    }
    do {
      self = try decoder.decode(RunState.self, from: json)
    } catch {
      throw CheckpointError(path: path, problem: "is damaged: \(error)")
    }
    let expected = checksum
    checksum = nil
    guard Checksum.of(self) == expected else {
      throw CheckpointError(
        path: path, problem: "is damaged: its content does not have the checksum that it names")
    }
  }

  /// The file's content.
  var json: Foundation.Data {
    var sealed = self
    sealed.checksum = Checksum.of(self)
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    // Numbers that are not finite have no place in it.
    return try! encoder.encode(sealed)
  }
}
