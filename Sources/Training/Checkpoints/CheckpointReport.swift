import Configuration
import Foundation
import SpikingNetworks
import Support
import Tensors

/// What is in a checkpoint, for people.
public struct CheckpointReport {
  public let text: String

  /// Checks all files first.
  ///
  /// - Parameters:
  ///   - path: a checkpoint's directory, or a run's: its best.
  ///   - backend: what would compute convolutions.
  ///   - energy: of operations.
  /// - Throws: `CheckpointError`, `DatasetError`; `ConfigurationError` and `NetworkError` where the
  ///   checkpoint's configuration is none of this program's.
  public init(
    of path: String, backend: ConvolutionBackend = ConvolutionBackend(),
    energy: OperationEnergy = OperationEnergy()
  ) throws {
    guard let checkpoint = try Checkpoint.locate(at: path, report: warn) else {
      throw CheckpointError(
        path: path, problem: "is not a directory: name that of a checkpoint or a run")
    }
    let (state, position) = (checkpoint.state, checkpoint.state.position)
    func accuracy(_ share: Double?) -> String {
      share.map { Format.percent($0, digits: 2) } ?? "not measured"
    }
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
      ("validation accuracy", accuracy(position.validationAccuracy)),
      ("best so far", accuracy(position.bestAccuracy)),
      ("global batch", "\(state.globalBatch)"),
      ("seed", "\(state.seed)"),
      ("classes", "\(state.classes.count)"),
      (
        "written by",
        "\(Format.counted(state.worldSize, "rank")), reduction by \(state.reduction.algorithm) of"
          + " \(Format.count(state.reduction.chunkLength)) floats"
      ),
    ]
    text =
      rows.map { name, value in name.padded(to: 21) + value }
      .joined(separator: "\n") + (try Self.work(state, backend, energy).map { "\n\n" + $0 } ?? "")
  }

  /// What computes the convolutions at the density of their inputs in the checkpoint's latest epoch, and the
  /// operations.
  private static func work(
    _ state: RunState, _ backend: ConvolutionBackend, _ energy: OperationEnergy
  ) throws -> String? {
    guard let densities = state.position.inputDensities else { return nil }
    var configuration = Configuration()
    try configuration.apply(yaml: state.configuration, from: "the checkpoint")
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
