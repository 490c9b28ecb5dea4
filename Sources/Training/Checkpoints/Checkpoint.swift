import Datasets
import Foundation
import SafeTensors
import SpikingNetworks
import Tensors

/// A directory with all that a run needs to go on as if it had not been interrupted: `model.safetensors`,
/// `optimizer.safetensors` and `state.json`.
///
/// Everything random is a function of the seed and the position, so with the same number of ranks the
/// weights after resuming equal those of an uninterrupted run bit for bit.
public struct Checkpoint {
  static let modelName = "model.safetensors"
  static let optimizerName = "optimizer.safetensors"
  static let stateName = "state.json"

  /// Of the directory, with symbolic links resolved, so that it keeps naming the same checkpoint.
  public let path: String
  /// What is in `state.json`.
  public let state: RunState

  /// Opens a directory; the other files are looked at by `verified`.
  ///
  /// - Throws: `CheckpointError`.
  public init(contentsOf path: String) throws {
    self.path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let file = self.path + "/" + Self.stateName
    guard let json = FileManager.default.contents(atPath: file) else {
      throw CheckpointError(path: path, problem: "is not a checkpoint: it has no \(Self.stateName)")
    }
    state = try RunState(json: json, path: file)
  }

  /// The checkpoint that a path means: itself, or of a run the best, or the latest where none is best;
  /// nil if it is a file.
  static func locate(at path: String) throws -> Checkpoint? {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
      isDirectory.boolValue
    else { return nil }
    let store = CheckpointStore(run: path)
    for candidate in [store.bestLink, store.latestLink]
    where FileManager.default.fileExists(atPath: candidate) {
      return try Checkpoint(contentsOf: candidate)
    }
    return try Checkpoint(contentsOf: path)
  }

  /// The network's parameters and running statistics.
  public var modelPath: String { path + "/" + Self.modelName }

  private var optimizerPath: String { path + "/" + Self.optimizerName }

  /// Compares all files with their sizes and checksums.
  ///
  /// - Throws: `CheckpointError` that names the damaged file, `DatasetError` for one that cannot be read.
  @discardableResult
  public func verified() throws -> Checkpoint {
    for name in [Self.modelName, Self.optimizerName] {
      let file = path + "/" + name
      guard let expected = state.files[name] else {
        throw CheckpointError(path: path, problem: "is damaged: its state does not know \(name)")
      }
      let found = try Checksum.ofFile(file)
      guard found.bytes == expected.bytes else {
        throw CheckpointError(
          path: file,
          problem: "is damaged: it has \(found.bytes) bytes instead of \(expected.bytes)")
      }
      guard found.text == expected.checksum else {
        throw CheckpointError(
          path: file,
          problem: "is damaged: its checksum is \(found.text) instead of \(expected.checksum)")
      }
    }
    return self
  }

  /// Puts a network and an optimizer's state where the run stood.
  ///
  /// - Parameter state: laid out as the weights.
  /// - Throws: `CheckpointError` or `SafeTensorsError`, before anything changes, if the checkpoint is
  ///   of another network or optimizer.
  func restore(
    _ network: SpikingNetwork, _ optimizerState: [(name: String, values: FloatView)]
  ) throws {
    try restore(network, states: optimizerState.map(\.name)) { index, parameter, published in
      parameter.assign(
        published: published,
        to: optimizerState[index].values[network.store.range(of: parameter)])
    }
  }

  /// The same, tensor by tensor.
  ///
  /// - Parameters:
  ///   - states: names of the optimizer's buffers.
  ///   - take: is given the number of a buffer, a parameter, and what of the buffer belongs to it, in the
  ///     published order: parameter by parameter in the order of the forward pass, and of each one buffer
  ///     after the other.
  func restore(
    _ network: SpikingNetwork, states: [String],
    _ take: (_ state: Int, _ parameter: Parameter, _ published: [Float]) throws -> Void
  ) throws {
    let file = try SafeTensorsFile(contentsOf: optimizerPath)
    let tensors = network.store.parametersInForwardOrder.flatMap { parameter in
      states.enumerated().map { ($0, parameter, "\($1).\(parameter.name)") }
    }
    for (_, parameter, name) in tensors { try file.checkFloats(name, shape: parameter.shape) }
    try network.load(try SafeTensorsFile(contentsOf: modelPath))
    for (state, parameter, name) in tensors { try take(state, parameter, try file.floats(name)) }
  }

  /// Writes the three files into a directory, which must exist, and syncs them to disk.
  static func write(_ snapshot: Snapshot, _ state: RunState, to directory: String) throws {
    let model = directory + "/" + modelName
    try ModelFile.write(
      snapshot.modelTensors, configuration: state.configuration, classes: state.classes, to: model)
    let optimizer = directory + "/" + optimizerName
    try SafeTensorsWriter.write(snapshot.optimizerTensors, to: optimizer)
    var state = state
    for (name, path) in [(modelName, model), (optimizerName, optimizer)] {
      let file = try Checksum.ofFile(path)
      state.files[name] = RunState.File(bytes: file.bytes, checksum: file.text)
    }
    let file = try DurableFile(path: directory + "/" + stateName)
    try state.json.withUnsafeBytes(file.write)
    try file.finish()
  }
}
