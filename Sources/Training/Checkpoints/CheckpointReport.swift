import Configuration
import Foundation
import SpikingNetworks
import Support
import Tensors

/// What is in a checkpoint, or in the file of a model, for people.
public struct CheckpointReport {
  public let text: String
  /// Why that has no operations and energy, if it has none.
  public let missingOperations: String?

  /// Checks all files of a checkpoint first.
  ///
  /// - Parameters:
  ///   - path: a checkpoint's directory, a run's: its best, or a model's file.
  ///   - backend: what would compute convolutions.
  ///   - energy: of operations.
  /// - Throws: `CheckpointError`, `DatasetError`; `ConfigurationError` and `NetworkError` where the
  ///   checkpoint's configuration is none of this program's.
  public init(
    of path: String, backend: ConvolutionBackend = ConvolutionBackend(),
    energy: OperationEnergy = OperationEnergy()
  ) throws {
    guard let checkpoint = try Checkpoint.locate(at: path, report: warn) else {
      let model = try ModelFile(contentsOf: path)
      text = try model.card().text(classes: model.classes)
      missingOperations = "a model's file has no firing rates"
      return
    }
    let (state, position) = (checkpoint.state, checkpoint.state.position)
    let model = try ModelFile(contentsOf: checkpoint.modelPath, state: state)
    let rows = [
      ("checkpoint", checkpoint.path),
      (
        "files",
        "intact: "
          + state.files.sorted { $0.key < $1.key }
          .map { "\($0.key) \(Format.bytes($0.value.bytes))" }.joined(separator: ", ")
      ),
      (
        "position",
        "\(Format.counted(position.epoch, "epoch")), "
          + "\(Format.counted(position.iteration, "iteration")), "
          + "\(Format.counted(position.samples, "sample"))"
      ),
      (
        "best so far",
        position.bestAccuracy.map { Format.percent($0, digits: 2) } ?? "not measured"
      ),
      ("global batch", "\(state.globalBatch)"),
      (
        "written by",
        "\(Format.counted(state.worldSize, "rank")), reduction by \(state.reduction.algorithm) of"
          + " \(Format.count(state.reduction.chunkLength)) floats"
      ),
    ]
    let work = try Self.work(model, state, backend, energy)
    missingOperations =
      work == nil ? "no epoch of this checkpoint has ended, so it has no firing rates" : nil
    let parts: [String?] = [
      rows.map { name, value in name.padded(to: 21) + value }.joined(separator: "\n"),
      try model.card().text(classes: model.classes),
      work,
    ]
    text = parts.compactMap { $0 }.joined(separator: "\n\n")
  }

  /// What computes the convolutions at the density of their inputs in the checkpoint's latest epoch, and the
  /// operations.
  private static func work(
    _ model: ModelFile, _ state: RunState, _ backend: ConvolutionBackend, _ energy: OperationEnergy
  ) throws -> String? {
    guard let densities = state.position.inputDensities else { return nil }
    let configuration = try model.resolvedConfiguration()
    let network = try SpikingNetwork(
      configuration.networkSpecification(classes: state.classes.count), backend: backend,
      seed: state.seed)
    var rows = [["convolution", "input density"] + ConvolutionPass.allCases.map(\.rawValue)]
    rows += network.kernels(
      at: densities, samples: configuration.samplesAtOnce(ranks: state.worldSize)
    ).map { use in
      [
        use.layer, use.inputDensity.map { Format.percent($0) } ?? "not spikes",
        use.forward.rawValue, use.inputGradient.rawValue, use.weightGradient.rawValue,
      ]
    }
    let operations = NetworkOperations(
      network.plan, timesteps: configuration.method.timesteps,
      isStatic: configuration.framesOfASample == 1,
      rates: state.position.inputRates ?? network.plan.inputRates(at: densities))
    return table(rows, leftAligned: 5) + "\n\n" + operations.text(energy)
  }
}
