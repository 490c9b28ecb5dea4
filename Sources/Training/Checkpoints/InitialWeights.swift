import Configuration
import Foundation
import SpikingNetworks

/// Weights that a new run begins with: of another run, or of a PyTorch state dict.
public struct InitialWeights {
  /// A file of tensors, or the directory of a checkpoint or a run.
  private let path: String
  private let reinitializesHead: Bool

  /// - Parameter reinitializesHead: whether the classifier starts anew, for other classes.
  public init(path: String, reinitializesHead: Bool) {
    self.path = path
    self.reinitializesHead = reinitializesHead
  }

  /// Gives a network the weights.
  ///
  /// - Parameters:
  ///   - classes: of the new run's data.
  ///   - configuration: of the new run.
  /// - Returns: what was done, for people.
  /// - Throws: `CheckpointError`, `SafeTensorsError`, before the network changes.
  func load(
    into network: SpikingNetwork, _ classes: [String], _ configuration: Configuration
  ) throws -> String {
    let location = try Checkpoint.locate(at: path, report: warn)?.modelPath ?? path
    let file = try openTensors(at: location)
    // A file of other origin has no class names to compare.
    if let trained = (try? ModelFile(contentsOf: location)).map(TrainedOn.init) {
      if !reinitializesHead {
        try trained.requireClasses(
          classes, remedy: "; give --reinitialize-head to train a new classifier")
      }
      try trained.note(configuration)
    }
    let prefix = file.commonPrefix(before: network.store.parameters[0].name)
    try network.load(
      file, parameterPrefix: prefix, statisticPrefix: prefix,
      reinitializingHead: reinitializesHead)
    return "weights of \(location)" + (reinitializesHead ? ", with a new classifier" : "")
  }
}
