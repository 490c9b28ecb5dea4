import Foundation

/// Where a run writes, and where it begins: from nothing, or from a checkpoint of its own.
public struct RunStart {
  /// Where it writes.
  public let output: OutputDirectory
  /// Where it goes on, if it does.
  public let checkpoint: Checkpoint?

  /// Finds out what `--resume` and `--output` mean. Damaged checkpoints are passed over.
  ///
  /// - Parameters:
  ///   - resume: `latest`: the latest checkpoint of the run in `output`, or of the latest run in `runs/`;
  ///     `auto`: the same, or a new run if `output` has none; otherwise the directory of a run or of one
  ///     of its checkpoints; nil: a new run.
  ///   - output: the run's directory; nil: a new one in `runs/`.
  ///   - report: is told of damaged checkpoints.
  /// - Throws: `OutputError`, `CheckpointError`.
  public init(resume: String?, output: String?, report: (String) -> Void) throws {
    let named = output.map(OutputDirectory.init)
    switch resume {
    case nil:
      self.output = named ?? OutputDirectory(OutputDirectory.defaultPath())
      checkpoint = nil
      try self.output.requireNoRun()
    case "auto":
      self.output = named ?? OutputDirectory(OutputDirectory.defaultPath())
      checkpoint =
        self.output.checkpoints.isEmpty
        ? nil : try self.output.checkpoints.newestIntact(report: report)
    case "latest":
      guard let run = named ?? OutputDirectory.latestRun else {
        throw OutputError(
          path: "runs", problem: "holds no run with a checkpoint; name the run: --resume DIR")
      }
      self.output = run
      checkpoint = try run.checkpoints.newestIntact(report: report)
    case let directory?:
      (self.output, checkpoint) = try Self.find(directory, report: report)
      guard let output, output != self.output.path else { return }
      throw OutputError(
        path: output,
        problem: "is not the run of \(directory), which goes on in its own directory: leave out"
          + " --output, or start a new run from its weights with --init-from")
    }
  }

  private static func find(
    _ directory: String, report: (String) -> Void
  ) throws -> (OutputDirectory, Checkpoint) {
    if FileManager.default.fileExists(atPath: directory + "/" + Checkpoint.stateName) {
      let checkpoint = try Checkpoint(contentsOf: directory).verified()
      let run = URL(fileURLWithPath: directory).deletingLastPathComponent()
        .deletingLastPathComponent().relativePath
      return (OutputDirectory(run), checkpoint)
    }
    let run = OutputDirectory(directory)
    guard !run.checkpoints.isEmpty else {
      throw OutputError(path: directory, problem: "holds no run that can go on: no checkpoints")
    }
    return (run, try run.checkpoints.newestIntact(report: report))
  }
}
