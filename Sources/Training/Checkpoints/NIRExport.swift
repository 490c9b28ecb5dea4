import Configuration
import Foundation
import NIR
import SpikingNetworks
import Support

/// A trained network for simulators and neuromorphic hardware that read the Neuromorphic Intermediate
/// Representation.
public enum NIRExport {
  /// Writes a model as an NIR graph.
  ///
  /// - Parameters:
  ///   - checkpoint: a run (its best checkpoint), a checkpoint, or a model's file.
  ///   - output: the graph's file.
  /// - Returns: what was done, for people.
  /// - Throws: `HDF5Error` at once without that library, `NetworkGraphError` where NIR cannot say what the
  ///   network does.
  public static func write(from checkpoint: String, to output: String) throws -> String {
    try NIRFile.requireLibrary()
    let kind = ResultKind("HDF5 file", includes: { NIRFile.isHDF5($0) })
    let target = try kind.requireReplaceable(output)
    let model = try ModelFile(at: checkpoint)
    let configuration = try model.resolvedConfiguration()
    let network = try SpikingNetwork(
      configuration.networkSpecification(classes: model.classes.count), seed: 0)
    try model.restore(network)
    let graph = try NetworkGraph(network)
    let timesteps = configuration.method.timesteps
    try NIRFile.write(
      graph,
      metadata: [
        "classes": String(decoding: json(model.classes), as: UTF8.self),
        "network": network.specification.summary, "time_steps": "\(timesteps)",
      ], to: target)
    return "\(output): \(Format.counted(graph.nodes.count, "node")) of \(model.path);"
      + " T = \(timesteps), time steps of \(NIRFile.timestep) s"
  }
}
