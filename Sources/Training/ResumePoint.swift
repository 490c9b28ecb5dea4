import SafeTensors
import SpikingNetworks
import Tensors

/// All that a run needs to go on as if it had not been interrupted, in one file, so that it is never of
/// two different moments: parameters, running statistics, the optimizer's state and the position.
///
/// Everything random is a function of the seed and the position, so with the same number of ranks the
/// weights after resuming equal those of an uninterrupted run bit for bit.
public struct ResumePoint {
  /// Where the run stood.
  public let position: Checkpoint.Position
  /// Samples of an iteration, by which the position counts.
  public let globalBatch: Int
  private let updates: Int
  private let file: SafeTensorsFile

  /// Opens the file of a run.
  ///
  /// - Throws: `SafeTensorsError` for a damaged file, `CheckpointError` for one of other origin.
  public init(contentsOf path: String) throws {
    file = try SafeTensorsFile(contentsOf: path)
    guard let position = file.metadata["position"].flatMap(Checkpoint.Position.init(json:)),
      let updates = file.metadata["updates"].flatMap({ Int($0) }),
      let globalBatch = file.metadata["global_batch"].flatMap({ Int($0) })
    else {
      throw CheckpointError(
        path: path, problem: "does not say where a run stood; give the directory of a run")
    }
    self.position = position
    self.updates = updates
    self.globalBatch = globalBatch
  }

  /// Writes the file; it appears completely or not at all.
  public static func write(
    _ network: SpikingNetwork, _ optimizer: any ParameterOptimizer,
    position: Checkpoint.Position, globalBatch: Int, to path: String
  ) throws {
    let state = stateViews(network, optimizer).map { name, parameter, view in
      SafeTensor.floats(name, shape: parameter.shape, parameter.published(view))
    }
    try SafeTensorsWriter.write(
      network.publishedTensors + state,
      metadata: [
        "position": position.json, "updates": "\(optimizer.updates)",
        "global_batch": "\(globalBatch)",
      ], to: path)
  }

  /// Puts a network and an optimizer where the run stood.
  ///
  /// - Throws: `CheckpointError` or `SafeTensorsError` if the file is of another network or optimizer.
  public func restore(_ network: SpikingNetwork, _ optimizer: any ParameterOptimizer) throws {
    let views = Self.stateViews(network, optimizer)
    let values = try views.map { name, parameter, _ in
      try file.floats(name, shape: parameter.shape)
    }
    try network.load(file)
    for ((_, parameter, view), values) in zip(views, values) {
      parameter.assign(published: values, to: view)
    }
    optimizer.updates = updates
  }

  /// The optimizer's state as tensors: name, the parameter it belongs to, memory.
  private static func stateViews(
    _ network: SpikingNetwork, _ optimizer: any ParameterOptimizer
  ) -> [(name: String, parameter: Parameter, view: FloatView)] {
    network.store.parametersInForwardOrder.flatMap { parameter in
      optimizer.state.map { state in
        (
          "\(state.name).\(parameter.name)", parameter,
          state.values[network.store.range(of: parameter)]
        )
      }
    }
  }
}
