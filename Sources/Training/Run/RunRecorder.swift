import Configuration
import Foundation
import SpikingNetworks

/// What rank 0 writes of a run: its configuration, metrics and checkpoints.
final class RunRecorder {
  let output: OutputDirectory
  private let settings: Configuration.Checkpointing
  private let log: MetricsLog
  private let writer: CheckpointWriter
  private var schedule: CheckpointSchedule
  /// A checkpoint was due while the one before it was still being written.
  private var isPostponed = false
  private let report: @Sendable (String) -> Void

  /// - Parameters:
  ///   - output: claimed.
  ///   - position: where the run begins; metrics of what comes later are made anew.
  ///   - checkpoint: that it goes on from, if it does.
  ///   - progress: is called as the writing of a checkpoint gets on.
  ///   - report: is told of what goes wrong and does not end the run.
  init(
    _ output: OutputDirectory, _ configuration: Configuration, from position: RunPosition,
    of checkpoint: Checkpoint?, progress: @escaping @Sendable () -> Void,
    report: @escaping @Sendable (String) -> Void
  ) throws {
    self.output = output
    self.report = report
    settings = configuration.checkpoint
    let abandoned = try checkpoint.map { try output.checkpoints.goOn(from: $0) } ?? []
    if let checkpoint, !abandoned.isEmpty {
      report(
        "the run goes on from \(checkpoint.path), so \(abandoned.joined(separator: ", ")) in"
          + " \(output.checkpoints.path) are of another course: kept as *.abandoned")
    }
    // First, for it shows that what follows is of a run.
    try output.write(configuration)
    log = try MetricsLog(directory: output.path, from: position)
    writer = CheckpointWriter(
      output.checkpoints, settings, latest: checkpoint, progress: progress, report: report)
    schedule = CheckpointSchedule(settings)
  }

  /// Adds to the metrics.
  func append(_ record: MetricsRecord) throws {
    do {
      try log.append(record)
    } catch {
      guard settings.onError == .continue else { throw error }
      report("\(error); training goes on")
    }
  }

  /// Whether the other ranks should hear that a checkpoint is due.
  var isCheckpointDue: Bool { (schedule.isDueByTime() || isPostponed) && !writer.isBusy }

  /// Whether a checkpoint is to be written now that one is due.
  ///
  /// - Parameter canWait: whether a later one would do, if one is still being written.
  func isReady(canWait: Bool) -> Bool {
    isPostponed = canWait && writer.isBusy
    return !isPostponed
  }

  /// Starts to write a checkpoint.
  ///
  /// - Parameter snapshot: is taken when the checkpoint before is written.
  func save(
    _ snapshot: @autoclosure () throws -> Snapshot, _ state: RunState, isBest: Bool = false
  ) rethrows {
    try writer.write(snapshot(), state, isBest: isBest)
    schedule.restart()
  }

  /// Enters into the checkpoint of the same iteration, which is confirmed, what its validation has found.
  func complete(_ position: RunPosition, isBest: Bool) {
    writer.complete(position, isBest: isBest)
  }

  /// Says that all ranks held the weights of the checkpoint that is being written.
  func confirm() { writer.confirm() }

  /// - Throws: `CheckpointError` where a failed checkpoint ends the run.
  func check() throws { try writer.check() }

  /// Waits until all confirmed checkpoints are on disk.
  func finish(isEnd: Bool = false) throws { try writer.finish(isEnd: isEnd) }
}
