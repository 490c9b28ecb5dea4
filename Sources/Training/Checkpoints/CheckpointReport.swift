import Foundation

/// What is in a checkpoint, for people.
public struct CheckpointReport {
  public let text: String

  /// Checks all files first.
  ///
  /// - Parameter path: a checkpoint's directory, or a run's: its best.
  /// - Throws: `CheckpointError`, `DatasetError`.
  public init(of path: String) throws {
    guard let checkpoint = try Checkpoint.locate(at: path)?.verified() else {
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
    text = rows.map { name, value in name.padding(toLength: 21, withPad: " ", startingAt: 0) + value
    }
    .joined(separator: "\n")
  }
}
