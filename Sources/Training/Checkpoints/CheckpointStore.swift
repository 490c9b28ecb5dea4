import Foundation
import SafeTensors

/// The checkpoints of a run: `DIR/checkpoints/iteration-NNNNNNNNN`, and the links `latest` and `best` to
/// two of them.
///
/// What is being written or removed has a name that begins with a point.
public struct CheckpointStore: Sendable {
  /// `DIR/checkpoints`.
  public let path: String

  /// - Parameter run: the run's directory, which need not exist.
  public init(run: String) {
    path = run + "/checkpoints"
  }

  /// Links to the checkpoint written last.
  public var latestLink: String { path + "/latest" }
  /// Links to the one with the greatest validation accuracy.
  public var bestLink: String { path + "/best" }

  private static let prefix = "iteration-"
  private static let damagedSuffix = ".damaged"

  static func name(iteration: Int) -> String {
    let digits = String(iteration)
    return prefix + String(repeating: "0", count: max(9 - digits.count, 0)) + digits
  }

  /// The names of complete checkpoints, the latest first.
  var names: [String] {
    entries.compactMap { name in Self.order(name).map { (name, $0) } }
      .sorted { $0.1 > $1.1 }.map(\.0)
  }

  /// The iteration of a name, and which one of that iteration it is; nil for other names.
  private static func order(_ name: String) -> (iteration: Int, number: Int)? {
    guard name.hasPrefix(prefix) else { return nil }
    let numbers = name.dropFirst(prefix.count).split(separator: "-").map { Int($0) }
    switch numbers.count {
    case 1: return numbers[0].map { ($0, 1) }
    case 2: return numbers[0].flatMap { first in numbers[1].map { (first, $0) } }
    default: return nil
    }
  }

  /// A name that no checkpoint has. A run that goes on can come to the same iteration again, and what is
  /// there already stays until the new one is complete.
  private func freeName(iteration: Int) -> String {
    let name = Self.name(iteration: iteration)
    let all = Set(entries)
    guard all.contains(name) else { return name }
    return (2...).lazy.map { "\(name)-\($0)" }.first { !all.contains($0) }!
  }

  private var entries: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
  }

  /// Whether there is anything to go on from.
  public var isEmpty: Bool { names.isEmpty }

  /// Where a checkpoint is written before it has its name.
  func temporaryPath(iteration: Int) -> String {
    "\(path)/.\(Self.name(iteration: iteration)).partial"
  }

  /// Gives a completely written checkpoint its name and makes it the latest one.
  ///
  /// - Parameter keeping: checkpoints that stay; of older ones only the best does.
  /// - Throws: `CheckpointError` or `SafeTensorsError`; the links are then as before.
  func commit(iteration: Int, isBest: Bool, keeping count: Int) throws {
    let name = freeName(iteration: iteration)
    let temporary = temporaryPath(iteration: iteration)
    try DurableFile.syncDirectory(temporary)
    try putInPlace(temporary, as: path + "/" + name)
    try DurableFile.syncDirectory(path)
    try pointLink(latestLink, to: name)
    if isBest { try pointLink(bestLink, to: name) }
    try DurableFile.syncDirectory(path)
    let kept = [latestLink, bestLink].compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: $0)
    }
    for name in names.dropFirst(count) where !kept.contains(name) { remove(name) }
  }

  /// Removes what a process that was killed has left half-written or half-removed.
  func removeRemains() {
    for entry in entries
    where entry.hasPrefix(".\(Self.prefix)") || entry == "latest.partial"
      || entry == "best.partial"
    {
      try? FileManager.default.removeItem(atPath: path + "/" + entry)
    }
  }

  /// A checkpoint that is half removed must not look like one.
  private func remove(_ name: String) {
    let doomed = "\(path)/.\(name).removed"
    guard rename(path + "/" + name, doomed) == 0 else { return }
    try? FileManager.default.removeItem(atPath: doomed)
  }

  /// The latest checkpoint whose files are all intact; damaged ones get another name and are kept.
  ///
  /// - Parameter report: is told of each damaged one.
  /// - Throws: `CheckpointError` if there is none.
  func newestIntact(report: (String) -> Void) throws -> Checkpoint {
    let latest = try? FileManager.default.destinationOfSymbolicLink(atPath: latestLink)
    let others = names
    var problems: [String] = []
    let candidates =
      (latest.map { [$0] } ?? []) + others.filter { $0 != latest }
    for name in candidates {
      do {
        let checkpoint = try Checkpoint(contentsOf: path + "/" + name).verified()
        if !problems.isEmpty { report("going back to the checkpoint \(name)") }
        return checkpoint
      } catch {
        problems.append("\(error)")
        report("\(error)")
        rename(path + "/" + name, path + "/" + name + Self.damagedSuffix)
      }
    }
    throw CheckpointError(
      path: path,
      problem: problems.isEmpty
        ? "holds no checkpoint" : "holds no intact checkpoint: all \(problems.count) are damaged")
  }
}
