import Configuration
import Dispatch
import Foundation
import SpikingNetworks
import Support
import Synchronization

/// Writes checkpoints on a thread of its own, so that training waits only while buffers are copied, or,
/// to save the copies, on the caller's, so that it waits until they are written.
///
/// A checkpoint is written under a temporary name first. It gets its own, and becomes the latest, when
/// `confirm` says that all ranks held the same weights.
final class CheckpointWriter: @unchecked Sendable {
  // One thread calls the methods; what the queue shares with it is in `status`.

  private let store: CheckpointStore
  private let settings: Configuration.Checkpointing
  private let progress: @Sendable () -> Void
  private let report: @Sendable (String) -> Void
  private let queue = DispatchQueue(label: "checkpoints")
  private let status = Mutex(Status())

  private struct Status {
    /// Written or being written, and not yet the latest.
    var pending = 0
    var failure: CheckpointError?
  }

  /// What is to get its name once it is confirmed.
  private struct Draft {
    let iteration: Int
    let isBest: Bool
    let byteCount: Int
  }
  private var unconfirmed: Draft?
  /// Whether the files of the draft are complete. Only the queue's, or the caller's while that is empty.
  private var isWritten = false
  /// The checkpoint that was put in place last. Only the queue's.
  private var latest: Checkpoint?

  /// - Parameters:
  ///   - latest: that the run goes on from, if it does.
  ///   - progress: is called as writing gets on, for which training may have to wait.
  ///   - report: is told what goes wrong where `checkpoint.on_error` is `continue`.
  init(
    _ store: CheckpointStore, _ settings: Configuration.Checkpointing, latest: Checkpoint? = nil,
    progress: @escaping @Sendable () -> Void = {}, report: @escaping @Sendable (String) -> Void
  ) {
    (self.store, self.settings, self.latest) = (store, settings, latest)
    (self.progress, self.report) = (progress, report)
  }

  /// Whether one is still being written.
  var isBusy: Bool { status.withLock { $0.pending > 0 } }

  /// Starts to write. Waits for earlier ones, which must be confirmed, before the snapshot is taken, so
  /// that no two of them take memory at a time; and for this one if the snapshot is no copy.
  func write(
    _ snapshot: @autoclosure () throws -> Snapshot, _ state: RunState, isBest: Bool
  ) rethrows {
    precondition(unconfirmed == nil, "the checkpoint before this one has not been confirmed")
    queue.sync {}
    let snapshot = try snapshot()
    let byteCount = snapshot.byteCount
    unconfirmed = Draft(
      iteration: state.position.iteration, isBest: isBest, byteCount: byteCount)
    status.withLock { $0.pending += 1 }
    guard snapshot.isCopy else {
      return isWritten = attempt(byteCount: byteCount) { try writeFiles(snapshot, state) }
    }
    queue.async { [self] in
      isWritten = attempt(byteCount: byteCount) { try writeFiles(snapshot, state) }
    }
  }

  private func writeFiles(_ snapshot: Snapshot, _ state: RunState) throws {
    let directory = store.temporaryPath(iteration: state.position.iteration)
    try? FileManager.default.removeItem(atPath: directory)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    do {
      try Checkpoint.write(snapshot, state, to: directory, progress: progress)
    } catch {
      try? FileManager.default.removeItem(atPath: directory)
      throw error
    }
  }

  /// Says that all ranks held the weights of the checkpoint that is being written.
  func confirm() {
    guard let draft = unconfirmed else { return }
    unconfirmed = nil
    queue.async { [self] in
      defer { status.withLock { $0.pending -= 1 } }
      // A failure may be of the one before.
      guard isWritten else { return }
      attempt(byteCount: draft.byteCount) {
        // On a full disk it would be in the way of the next one.
        defer {
          try? FileManager.default.removeItem(
            atPath: store.temporaryPath(iteration: draft.iteration))
        }
        latest = try store.commit(
          iteration: draft.iteration, isBest: draft.isBest, keeping: settings.keep)
      }
    }
  }

  /// Gives the checkpoint that was confirmed last, or that the run goes on from, another position of the
  /// same iteration.
  func complete(_ position: RunPosition, isBest: Bool) {
    precondition(unconfirmed == nil, "the checkpoint has not been confirmed")
    status.withLock { $0.pending += 1 }
    queue.async { [self] in
      defer { status.withLock { $0.pending -= 1 } }
      // One that could not be written has been reported.
      guard let latest, latest.state.position.iteration == position.iteration else { return }
      attempt(byteCount: 0) {
        self.latest = try store.complete(
          latest, position, isBest: isBest, keeping: settings.keep)
      }
    }
  }

  /// Waits until all that is confirmed is on disk.
  ///
  /// - Parameter isEnd: whether no other one comes, which might succeed where one has failed.
  /// - Throws: as `check`; at the end whatever has failed.
  func finish(isEnd: Bool = false) throws {
    queue.sync {}
    if isEnd, let failure = status.withLock({ $0.failure }) { throw failure }
    try check()
  }

  /// - Throws: `CheckpointError` if writing has failed and the run is to stop for that; otherwise says
  ///   so, and the next one is tried.
  func check() throws {
    let failure = status.withLock { status in
      defer { if status.pending == 0 { status.failure = nil } }
      return status.pending == 0 ? status.failure : nil
    }
    guard let failure else { return }
    guard settings.onError == .continue else { throw failure }
    report("\(failure); training goes on, and the checkpoint before this one is as it was")
  }

  /// Keeps an error for `check`.
  ///
  /// - Returns: whether there was none.
  @discardableResult
  private func attempt(byteCount: Int, _ body: () throws -> Void) -> Bool {
    do {
      try body()
      return true
    } catch {
      let failure = explained(error, byteCount: byteCount)
      status.withLock { $0.failure = failure }
      return false
    }
  }

  /// The error with what a full disk lacks.
  private func explained(_ error: any Error, byteCount: Int) -> CheckpointError {
    var reason = "the checkpoint cannot be written: \(error)"
    if let free = FileSystem(path: store.path)?.available, free < byteCount {
      reason +=
        " It needs \(Format.bytes(byteCount)), and \(Format.bytes(free)) are free"
    }
    return CheckpointError(path: store.path + ":", problem: reason)
  }
}
