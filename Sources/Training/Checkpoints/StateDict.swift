import Configuration
import Foundation
import SafeTensors
import SpikingNetworks
import Support
import Tensors

/// A PyTorch state dict of a published model, saved as safetensors: what `import` takes and `export`
/// makes.
public enum StateDict {
  /// Makes a model of a state dict.
  ///
  /// Names may have a common prefix, such as the `module.` of DataParallel.
  ///
  /// - Parameters:
  ///   - configuration: of the network, and of the data that the classes are of.
  ///   - output: the model's file.
  /// - Returns: what was done, for people.
  /// - Throws: `CheckpointError` or `SafeTensorsError` where the network is another.
  public static func importModel(
    from path: String, _ configuration: Configuration, to output: String
  ) throws -> String {
    try requireReplaceable(output)
    let classes = try DataSplits(configuration).classes()
    let network = try SpikingNetwork(
      configuration.networkSpecification(classes: classes.count), seed: 0)
    let file = try SafeTensorsFile(contentsOf: path)
    let prefix = commonPrefix(of: file.names, before: network.store.parameters[0].name)
    try network.load(file, parameterPrefix: prefix, statisticPrefix: prefix)
    let snapshot = try Snapshot(
      network, SGD(count: network.store.weights.count, momentum: 0, weightDecay: 0))
    try ModelFile.write(
      snapshot.modelTensors, configuration: configuration.yaml, classes: classes, to: output)
    return "\(output): \(network.specification.summary)"
      + (prefix.isEmpty ? "" : "; the prefix '\(prefix)' of the names is left out")
  }

  /// Writes the parameters and running statistics of a model, with all that its use elsewhere needs in the
  /// metadata.
  ///
  /// - Parameters:
  ///   - checkpoint: a run (its best checkpoint), a checkpoint, or a model's file.
  ///   - output: the state dict's file.
  /// - Returns: what was done, for people.
  public static func exportModel(from checkpoint: String, to output: String) throws -> String {
    try requireReplaceable(output)
    let model = try ModelFile(at: checkpoint)
    let file = try SafeTensorsFile(contentsOf: model.path)
    let tensors = try file.names.map { name in
      SafeTensor.floats(name, shape: try file.shape(of: name), try file.floats(name))
    }
    try SafeTensorsWriter.write(tensors, metadata: model.metadataForExport(), to: output)
    return "\(output): \(Format.counted(tensors.count, "tensor")) of \(model.path)"
  }

  /// Nothing but a safetensors file is replaced, and no file of a checkpoint.
  private static func requireReplaceable(_ output: String) throws {
    guard FileManager.default.fileExists(atPath: output) else { return }
    let directory = URL(fileURLWithPath: output).deletingLastPathComponent().path
    let isOfCheckpoint = FileManager.default.fileExists(
      atPath: directory + "/" + Checkpoint.stateName)
    guard !isOfCheckpoint, (try? SafeTensorsFile(contentsOf: output)) != nil else {
      throw CheckpointError(
        path: output,
        problem: "is there already, and is "
          + (isOfCheckpoint ? "part of a checkpoint" : "no safetensors file")
          + ": name another --output")
    }
  }

  /// What stands before `name` in the names that end with it, if it is the same in all names.
  private static func commonPrefix(of names: [String], before name: String) -> String {
    guard let match = names.first(where: { $0 == name || $0.hasSuffix("." + name) }) else {
      return ""
    }
    let prefix = String(match.dropLast(name.count))
    return names.allSatisfy { $0.hasPrefix(prefix) } ? prefix : ""
  }
}
