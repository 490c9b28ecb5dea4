import Configuration
import Foundation
import SafeTensors
import SpikingNetworks
import Support
import Tensors

/// A PyTorch state dict of a published model: what `import` takes, saved by `torch.save` or as safetensors, and
/// `export` makes, as safetensors.
public enum StateDict {
  /// Makes a model of a state dict.
  ///
  /// Names may have a common prefix, such as the `module.` of DataParallel.
  ///
  /// - Parameters:
  ///   - configuration: of the network, and of the data that the classes are of.
  ///   - output: the model's file.
  /// - Returns: what was done, for people.
  /// - Throws: `CheckpointError` or `SafeTensorsError` where the network is another, `PyTorchFileError` where the
  ///   file holds other things.
  public static func importModel(
    from path: String, _ configuration: Configuration, to output: String
  ) throws -> String {
    let target = try kind.requireReplaceable(output)
    let classes = try DataSplits(configuration).classes()
    let network = try SpikingNetwork(
      configuration.networkSpecification(classes: classes.count), seed: 0)
    let file = try openTensors(at: path)
    let prefix = file.commonPrefix(before: network.store.parameters[0].name)
    try network.load(file, parameterPrefix: prefix, statisticPrefix: prefix)
    let snapshot = try Snapshot(
      network, SGD(count: network.store.weights.count, momentum: 0, weightDecay: 0))
    try ModelFile.write(
      snapshot.modelTensors, configuration: configuration.yaml, classes: classes, to: target)
    return "\(output): \(network.specification.summary)"
      + (prefix.isEmpty ? "" : "; the prefix '\(prefix)' of the names is left out")
  }

  /// Writes the parameters and running statistics of a model, with all that its use elsewhere needs in the
  /// metadata; it stays one that can be evaluated.
  ///
  /// - Parameters:
  ///   - checkpoint: a run (its best checkpoint), a checkpoint, or a model's file.
  ///   - output: the state dict's file.
  /// - Returns: what was done, for people.
  public static func exportModel(
    from checkpoint: String, to output: String, _ encoding: WeightEncoding = .float32
  ) throws -> String {
    let target = try kind.requireReplaceable(output)
    let model = try ModelFile(at: checkpoint)
    let tensors = try model.tensors.names.flatMap { try encoding.tensors($0, of: model.tensors) }
    try SafeTensorsWriter.write(tensors, metadata: model.metadataForExport(encoding), to: target)
    let size = Format.bytes(fileSize(output))
    return "\(output): \(Format.counted(tensors.count, "tensor")) of \(model.path), \(size)"
  }

  private static let kind = ResultKind(
    "model of import or export",
    includes: { path in
      !Checkpoint.isPart(path) && (try? SafeTensorsFile(contentsOf: path)) != nil
    })
}
