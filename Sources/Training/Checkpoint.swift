import Foundation
import SafeTensors
import SpikingNetworks
import Tensors

/// A network's parameters in a safetensors file, under their published names and in their published
/// shapes, so that PyTorch can load them; with what else is needed to use them in the metadata.
public struct Checkpoint {
  /// Where a run stands.
  public struct Position: Codable, Equatable, Sendable {
    /// Epochs done.
    public var epoch: Int
    /// Iterations done since the run's start.
    public var iteration: Int
    /// Samples seen since the run's start.
    public var samples: Int
    /// Share of the validation samples classified correctly, 0 to 1.
    public var validationAccuracy: Double?
    /// The greatest of the run so far.
    public var bestAccuracy: Double?
  }

  /// The file's path.
  public let path: String
  /// The resolved configuration of the run, as YAML.
  public let configuration: String
  /// Class names; a label is a position in this list.
  public let classes: [String]
  /// Where the run stood.
  public let position: Position
  private let file: SafeTensorsFile

  /// Opens a checkpoint.
  ///
  /// - Throws: `SafeTensorsError` for a damaged file, `CheckpointError` for one of other origin.
  public init(contentsOf path: String) throws {
    file = try SafeTensorsFile(contentsOf: path)
    self.path = path
    let metadata = file.metadata
    guard let configuration = metadata["configuration"],
      let classes = metadata["classes"].flatMap({ value([String].self, fromJSON: $0) }),
      let position = metadata["position"].flatMap(Position.init(json:))
    else {
      throw CheckpointError(
        path: path,
        problem: "is not a checkpoint of sltt-dist: its metadata lack configuration, classes or"
          + " position")
    }
    self.configuration = configuration
    self.classes = classes
    self.position = position
  }

  /// Writes a network's parameters and running statistics; the file appears completely or not at all.
  public static func write(
    _ network: SpikingNetwork, configuration: Configuration, classes: [String],
    position: Position, to path: String
  ) throws {
    let metadata = [
      "format": "pt", "configuration": configuration.yaml, "classes": jsonText(of: classes),
      "position": position.json,
    ]
    try SafeTensorsWriter.write(network.publishedTensors, metadata: metadata, to: path)
  }

  /// Gives the network the checkpoint's parameters and running statistics.
  ///
  /// - Throws: `CheckpointError` or `SafeTensorsError`, before the network changes.
  public func restore(_ network: SpikingNetwork) throws {
    try network.load(file)
  }
}

/// A file that does not fit the network or is not a checkpoint.
public struct CheckpointError: Error, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What is wrong with it.
  public let problem: String

  public var description: String { "\(path) \(problem)" }
}

extension Checkpoint.Position {
  /// As JSON, for metadata.
  var json: String { jsonText(of: self) }

  init?(json: String) {
    guard let position = value(Self.self, fromJSON: json) else { return nil }
    self = position
  }
}

private func jsonText(of value: some Encodable) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try! encoder.encode(value), as: UTF8.self)
}

private func value<Value: Decodable>(_ type: Value.Type, fromJSON json: String) -> Value? {
  try? JSONDecoder().decode(type, from: Data(json.utf8))
}
