import Foundation
import Support

/// Where a run writes, and where it begins: from nothing, or from a checkpoint of its own.
public struct RunStart {
  /// Where it writes.
  public let output: OutputDirectory
  /// Where it goes on, if it does.
  public let checkpoint: Checkpoint?

  /// Finds out what `--resume` and `--output` mean. Damaged checkpoints are passed over; the directory of
  /// a run that is to go on is claimed.
  ///
  /// - Parameters:
  ///   - resume: `latest`: the latest checkpoint of the run in `output`, or of the latest run in `runs/`;
  ///     `auto`: of the run in `output`, or a new run if none has been there; otherwise the directory of a
  ///     run or of one of its checkpoints; nil: a new run.
  ///   - output: the run's directory; nil: a new one in `runs/`.
  ///   - progress: is called as checkpoints are read.
  ///   - report: is told of damaged checkpoints.
  /// - Throws: `OutputError`, `CheckpointError`.
  public init(
    resume: String?, output: String?, progress: () -> Void = {}, report: (String) -> Void
  ) throws {
    switch resume {
    case nil:
      self.output = OutputDirectory(output)
      checkpoint = nil
      try self.output.requireNoRun()
    case "auto":
      guard let output else {
        throw OutputError(
          path: "--resume auto",
          problem: "needs --output, the directory of the run that it begins, or goes on with")
      }
      self.output = OutputDirectory(output, isNew: false)
      guard FileManager.default.fileExists(atPath: output) else {
        checkpoint = nil
        return
      }
      try self.output.claim()
      let store = self.output.checkpoints
      checkpoint =
        try store.isEmpty ? nil : try store.newestIntact(progress: progress, report: report)
    case "latest":
      guard let run = output.map({ OutputDirectory($0, isNew: false) }) ?? OutputDirectory.latestRun
      else {
        throw OutputError(
          path: "runs", problem: "holds no run with a checkpoint; name the run: --resume DIR")
      }
      try Self.requireExistence(of: run.path)
      self.output = run
      checkpoint = try Self.newest(of: run, progress: progress, report: report)
    case let directory?:
      (self.output, checkpoint) = try Self.find(directory, progress: progress, report: report)
      guard let output, resolved(output) != resolved(self.output.path) else { return }
      throw OutputError(
        path: output,
        problem: "is not the run of \(directory), which goes on in its own directory: leave out"
          + " --output, or start a new run from its weights with --init-from")
    }
  }

  private static func requireExistence(of directory: String) throws {
    guard !FileManager.default.fileExists(atPath: directory) else { return }
    throw OutputError(
      path: directory, problem: "does not exist: name a run, or one of its checkpoints")
  }

  private static func find(
    _ directory: String, progress: () -> Void, report: (String) -> Void
  ) throws -> (OutputDirectory, Checkpoint) {
    try requireExistence(of: directory)
    if FileManager.default.fileExists(atPath: directory + "/" + Checkpoint.stateName) {
      let store = URL(fileURLWithPath: directory).deletingLastPathComponent()
      guard store.lastPathComponent == CheckpointStore.directoryName else {
        throw OutputError(
          path: directory,
          problem: "is not among the checkpoints of a run, RUN/\(CheckpointStore.directoryName)/*:"
            + " put it there, or start a new run from its weights with --init-from")
      }
      let run = OutputDirectory(
        store.deletingLastPathComponent().relativePath, isNew: false)
      try run.claim()
      return (run, try Checkpoint(contentsOf: directory).verified(progress: progress))
    }
    var isDirectory: ObjCBool = false
    FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory)
    let url = URL(fileURLWithPath: directory).standardizedFileURL
    guard isDirectory.boolValue, url.lastPathComponent != CheckpointStore.directoryName else {
      let parent = (directory as NSString).deletingLastPathComponent
      throw OutputError(
        path: directory,
        problem: isDirectory.boolValue
          ? "holds the checkpoints of a run: name the run, \(parent), or one of them"
          : "is a file: name a run, or the directory of one of its checkpoints")
    }
    let run = OutputDirectory(directory, isNew: false)
    guard try !run.checkpoints.isEmpty else {
      throw OutputError(path: directory, problem: "holds no run that can go on: no checkpoints")
    }
    return (run, try newest(of: run, progress: progress, report: report))
  }

  private static func newest(
    of run: OutputDirectory, progress: () -> Void, report: (String) -> Void
  ) throws -> Checkpoint {
    if try !run.checkpoints.isEmpty { try run.claim() }
    return try run.checkpoints.newestIntact(progress: progress, report: report)
  }
}
