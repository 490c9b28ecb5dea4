import Configuration
import Distributed
import Foundation
import NIR
import PyTorchFiles
import SafeTensors
import SpikingNetworks
import Support
import Tensors

/// A network's parameters in a safetensors file, under their published names and in their published
/// shapes, so that PyTorch can load them; with what else is needed to use them in the metadata.
public struct ModelFile {
  /// The file's path.
  public let path: String
  /// The resolved configuration of the run, as YAML.
  public let configuration: String
  /// Class names; a label is a position in this list.
  public let classes: [String]
  /// Its parameters and running statistics.
  let tensors: any TensorFile
  /// The model's card as the file has it, if it does.
  private let storedCard: ModelCard?
  /// Of the checkpoint that the file is part of, where that was opened.
  private let state: RunState?

  /// The samples that it was trained on, where that is known.
  var trainingList: SampleListHash? { state?.trainingList }

  /// Opens the file of a model, or that of a checkpoint or run.
  ///
  /// - Parameters:
  ///   - path: a file, a checkpoint's directory, or a run's: its best checkpoint, or its latest
  ///   where none is best.
  ///   - communicator: of the ranks that open it; rank 0 says which checkpoint was chosen where it is
  ///     neither.
  /// - Throws: `SafeTensorsError` or `CheckpointError` for a damaged file or one of other origin.
  public init(at path: String, _ communicator: any Communicator = SingleProcess()) throws {
    let checkpoint = try Checkpoint.locate(at: path) { if communicator.isRoot { warn($0) } }
    try self.init(contentsOf: checkpoint?.modelPath ?? path, state: checkpoint?.state)
  }

  /// Opens a file.
  ///
  /// - Throws: `SafeTensorsError` for a damaged file, `CheckpointError` for one of other origin.
  init(contentsOf path: String, state: RunState? = nil) throws {
    self.state = state
    try Self.refuseOtherFormats(path)
    let file = try SafeTensorsFile(contentsOf: path)
    tensors = try QuantizedTensors(file)
    self.path = path
    let metadata = file.metadata
    guard let configuration = metadata["configuration"],
      let classes = metadata["classes"].flatMap({ value([String].self, fromJSON: $0) })
    else {
      throw CheckpointError(
        path: path,
        problem: "is not a model of sltt-dist: its metadata lack configuration or classes; make one"
          + " of a PyTorch state dict with sltt-dist import")
    }
    self.configuration = configuration
    self.classes = classes
    storedCard = metadata[Self.cardKey].flatMap(ModelCard.init)
  }

  /// Says of what else a network may be in what to give in its place.
  private static func refuseOtherFormats(_ path: String) throws {
    if NIRFile.isHDF5(path) {
      throw CheckpointError(
        path: path,
        problem: "is an HDF5 file, as NIR graphs are: name the run or checkpoint that it is of")
    }
    if try PyTorchFile.isOne(path) {
      throw CheckpointError(
        path: path,
        problem: "is a PyTorch state dict: make a model of it with sltt-dist import")
    }
  }

  /// Writes parameters and running statistics; the file appears completely or not at all.
  ///
  /// - Parameter configuration: the resolved one, as YAML.
  static func write(
    _ tensors: [SafeTensor], configuration: String, classes: [String], to path: String,
    progress: () -> Void = {}
  ) throws {
    try SafeTensorsWriter.write(
      tensors, metadata: metadata(configuration: configuration, classes: classes), to: path,
      mustBeFinite: true, progress: progress)
  }

  private static func metadata(configuration: String, classes: [String]) -> [String: String] {
    [
      "format": "pt", "configuration": configuration,
      "classes": String(decoding: json(classes), as: UTF8.self),
    ]
  }

  /// Of a file that is to be used elsewhere: with the model's card.
  func metadataForExport(_ encoding: WeightEncoding) throws -> [String: String] {
    var card = try card()
    // What was rounded once stays so, however it is stored now.
    if let rounding = encoding.rounding, card.rounding?.hasSuffix(rounding) != true {
      card.rounding = (card.rounding.map { "\($0), then " } ?? "") + rounding
    }
    return Self.metadata(configuration: configuration, classes: classes)
      .merging([Self.cardKey: card.json]) { $1 }
  }

  private static let cardKey = "model_card"

  /// What people need to know of the model, as the file has it, or made of what it was trained by.
  ///
  /// - Throws: `ConfigurationError`, `NetworkError`, `SafeTensorsError` where the file holds no network.
  func card() throws -> ModelCard {
    try storedCard
      ?? ModelCard(resolvedConfiguration(), classes: classes.count, state: state)
  }

  /// The configuration of the run, with the channels that the weights are for: where they follow from data,
  /// these need not be at hand.
  ///
  /// - Throws: as `card`.
  func resolvedConfiguration() throws -> Configuration {
    var resolved = Configuration()
    try resolved.apply(yaml: configuration, from: path)
    // Any number serves to find the first layer.
    resolved.model.inputChannels = 1
    let plan = try NetworkPlan(resolved.networkSpecification(classes: classes.count))
    let shape = try tensors.shape(of: plan.layers[0].summary.name + ".weight")
    resolved.model.inputChannels = shape.count == 4 ? shape[1] : nil
    try resolved.validate()
    return resolved
  }

  /// What the outputs of a network mean: the classes, and there may be more outputs than classes.
  func names(ofOutputs count: Int) -> [String] {
    classes + (classes.count..<count).map { "output \($0)" }
  }

  /// Gives the network the file's parameters and running statistics.
  ///
  /// - Throws: `CheckpointError` or `SafeTensorsError`, before the network changes.
  public func restore(_ network: SpikingNetwork) throws {
    try network.load(tensors)
  }
}

private func value<Value: Decodable>(_ type: Value.Type, fromJSON json: String) -> Value? {
  try? JSONDecoder().decode(type, from: Data(json.utf8))
}
