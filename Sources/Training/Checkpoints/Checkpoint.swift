import Datasets
import Foundation
import SafeTensors
import SpikingNetworks
import Support
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
  public init(contentsOf path: String) throws(CheckpointError) {
    self.path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let file = self.path + "/" + Self.stateName
    let content: Foundation.Data?
    do {
      content = try isThere(path) ? contentsOfFile(file) : nil
    } catch {
      throw CheckpointError(reading: file, error)
    }
    guard let json = content else {
      throw CheckpointError(
        path: path,
        problem:
          "is not a checkpoint: it has no \(Self.stateName); name a run, or one of its checkpoints",
        finding: .incomplete)
    }
    state = try RunState(json: json, path: file)
  }

  /// The checkpoint that a path means, its files compared with their checksums: itself, or of a run the
  /// best, or the latest where none is best, or the newest intact one where links got lost in copying;
  /// nil if it is a file.
  ///
  /// - Parameter report: is told which was chosen where it is neither the best nor the latest.
  static func locate(at path: String, report: (String) -> Void) throws -> Checkpoint? {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw CheckpointError(
        path: path, problem: "does not exist: name a run, one of its checkpoints, or a model's file"
      )
    }
    guard isDirectory.boolValue else { return nil }
    let store = CheckpointStore(run: path)
    let candidates = [store.bestLink, store.latestLink, path]
    if let found = candidates.first(where: Self.isCheckpoint) {
      if found != store.bestLink, store.hasBestLink {
        report("\(store.bestLink) leads to no checkpoint: taking \(found)")
      }
      return try Checkpoint(contentsOf: found).verified()
    }
    guard try !store.isEmpty else {
      guard try isThere(OutputDirectory(path).configuration) else {
        return try Checkpoint(contentsOf: path)
      }
      throw CheckpointError(
        path: path,
        problem: "is a run without a checkpoint: let it write one, or name another run")
    }
    let newest = try store.newestIntact(renamesDamaged: false, report: report)
    report("\(path) has no links to its best and latest checkpoint: taking \(newest.path)")
    return newest
  }

  /// Whether a file is one of a checkpoint's.
  static func isPart(_ path: String) -> Bool {
    isCheckpoint(URL(fileURLWithPath: path).deletingLastPathComponent().path)
  }

  private static func isCheckpoint(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/" + stateName)
  }

  /// The network's parameters and running statistics.
  public var modelPath: String { path + "/" + Self.modelName }

  private var optimizerPath: String { path + "/" + Self.optimizerName }

  /// Compares all files with their sizes and checksums.
  ///
  /// - Parameter progress: is called as that gets on.
  /// - Throws: `CheckpointError` that names the file and says whether it is damaged, missing, or cannot be
  ///   read.
  @discardableResult
  public func verified(progress: () -> Void = {}) throws(CheckpointError) -> Checkpoint {
    for name in [Self.modelName, Self.optimizerName] {
      let file = path + "/" + name
      guard let expected = state.files[name] else {
        throw CheckpointError(
          path: path, problem: "is damaged: its state does not know \(name)", finding: .damaged)
      }
      let content: (bytes: Int, text: String)?
      do {
        content = try isThere(file) ? Checksum.ofFile(file, progress: progress) : nil
      } catch {
        throw CheckpointError(reading: file, error)
      }
      guard let found = content else {
        throw CheckpointError(
          path: path, problem: "is not complete: it has no \(name)", finding: .incomplete)
      }
      guard found.bytes == expected.bytes else {
        throw CheckpointError(
          path: file,
          problem: "is damaged: it has \(found.bytes) bytes instead of \(expected.bytes)",
          finding: .damaged)
      }
      guard found.text == expected.checksum else {
        throw CheckpointError(
          path: file,
          problem: "is damaged: its checksum is \(found.text) instead of \(expected.checksum)",
          finding: .damaged)
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
    for (_, parameter, name) in tensors { try file.checkFinite(name, shape: parameter.shape) }
    try network.load(try SafeTensorsFile(contentsOf: modelPath))
    for (state, parameter, name) in tensors { try take(state, parameter, try file.floats(name)) }
  }

  /// Writes the three files into a directory, which must exist, and syncs them to disk. Numbers that are not
  /// finite are an error: `restore` would refuse them.
  ///
  /// - Parameter progress: is called as that gets on.
  static func write(
    _ snapshot: Snapshot, _ state: RunState, to directory: String, progress: () -> Void = {}
  ) throws {
    let model = directory + "/" + modelName
    try ModelFile.write(
      snapshot.modelTensors, configuration: state.configuration, classes: state.classes, to: model,
      progress: progress)
    let optimizer = directory + "/" + optimizerName
    try SafeTensorsWriter.write(
      snapshot.optimizerTensors, to: optimizer, mustBeFinite: true, progress: progress)
    var state = state
    for (name, path) in [(modelName, model), (optimizerName, optimizer)] {
      let file = try Checksum.ofFile(path, progress: progress)
      state.files[name] = RunState.File(bytes: file.bytes, checksum: file.text)
    }
    try write(state, to: directory + "/" + stateName)
  }

  /// Replaces the position on disk, at once.
  ///
  /// - Returns: the checkpoint as it is then.
  /// - Throws: `CheckpointError` or `FileError`; the file is then as before.
  func moved(to position: RunPosition) throws -> Checkpoint {
    var state = state
    state.position = position
    try Self.write(state, to: path + "/" + Self.stateName)
    try syncDirectory(path)
    return try Checkpoint(contentsOf: path)
  }

  private static func write(_ state: RunState, to path: String) throws {
    try PartialFile(path: path).finish(with: state.json)
  }
}
