import Foundation
import SafeTensors
import Support

/// The checkpoints of a run: `DIR/checkpoints/iteration-NNNNNNNNN`, and the links `latest` and `best` to
/// two of them.
///
/// What is being written or removed has a name that begins with a point.
public struct CheckpointStore: Sendable {
  /// `DIR/checkpoints`.
  public let path: String

  /// - Parameter run: the run's directory, which need not exist.
  public init(run: String) {
    path = run + "/" + Self.directoryName
    trace = run + "/.checkpointed"
  }

  /// A file beside the directory that tells that there has been a checkpoint, should the directory be
  /// gone, perhaps with the disk that it is on.
  private let trace: String

  /// Links to the checkpoint written last.
  public var latestLink: String { path + "/latest" }
  /// Links to the one with the greatest validation accuracy.
  public var bestLink: String { path + "/best" }

  /// Whether there is such a link, wherever it leads.
  var hasBestLink: Bool {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: bestLink)) != nil
  }

  static let directoryName = "checkpoints"
  private static let prefix = "iteration-"
  private static let damagedSuffix = ".damaged"
  private static let abandonedSuffix = ".abandoned"
  private static let remainsOfLinks: Set = [
    "latest.partial", "best.partial", ".latest.removed", ".best.removed",
  ]

  static func name(iteration: Int) -> String {
    let digits = String(iteration)
    return prefix + String(repeating: "0", count: max(9 - digits.count, 0)) + digits
  }

  /// The names of complete checkpoints, the latest first.
  ///
  /// - Throws: `CheckpointError` if the directory is there and cannot be read.
  var names: [String] {
    get throws {
      try entries.compactMap { name in Self.order(name).map { (name, $0) } }
        .sorted { $0.1 > $1.1 }.map(\.0)
    }
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
  private func freeName(iteration: Int) throws -> String {
    try freeName(Self.name(iteration: iteration))
  }

  private func freeName(_ name: String) throws -> String {
    let all = Set(try entries)
    guard all.contains(name) else { return name }
    return (2...).lazy.map { "\(name)-\($0)" }.first { !all.contains($0) }!
  }

  private var entries: [String] {
    get throws {
      do {
        return try FileManager.default.contentsOfDirectory(atPath: path)
      } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
        return []
      } catch {
        throw CheckpointError(reading: path, error)
      }
    }
  }

  /// Whether a run has never had a checkpoint here, not even one that was damaged or is gone by now.
  ///
  /// - Throws: `CheckpointError` if the directory is there and cannot be read.
  public var isEmpty: Bool {
    get throws {
      try !FileManager.default.fileExists(atPath: trace)
        && !entries.contains { $0.hasPrefix(Self.prefix) }
    }
  }

  /// Where a checkpoint is written before it has its name.
  func temporaryPath(iteration: Int) -> String {
    "\(path)/.\(Self.name(iteration: iteration)).partial"
  }

  /// Gives a completely written checkpoint its name and makes it the latest one.
  ///
  /// - Parameter keeping: checkpoints that stay; of older ones only the best does.
  /// - Returns: the checkpoint.
  /// - Throws: `CheckpointError` or `FileError`; the links are then as before.
  @discardableResult
  func commit(iteration: Int, isBest: Bool, keeping count: Int) throws -> Checkpoint {
    let name = try freeName(iteration: iteration)
    let temporary = temporaryPath(iteration: iteration)
    try syncDirectory(temporary)
    try PartialFile(path: trace).finish()
    try putInPlace(temporary, as: path + "/" + name)
    try syncDirectory(path)
    try pointLinks(to: name, isBest: isBest)
    try removeOld(keeping: count)
    return try Checkpoint(contentsOf: path + "/" + name)
  }

  private func pointLinks(to name: String, isBest: Bool) throws {
    try pointLink(latestLink, to: name)
    if isBest { try pointLink(bestLink, to: name) }
    try syncDirectory(path)
  }

  /// Gives a checkpoint another position of the same iteration, at once, and makes it the latest one; its
  /// tensors stay.
  ///
  /// - Returns: the checkpoint as it is then.
  /// - Throws: as `commit`.
  func complete(
    _ checkpoint: Checkpoint, _ position: RunPosition, isBest: Bool, keeping count: Int
  ) throws -> Checkpoint {
    let changed = try checkpoint.moved(to: position)
    try pointLinks(to: (checkpoint.path as NSString).lastPathComponent, isBest: isBest)
    try removeOld(keeping: count)
    return changed
  }

  private func removeOld(keeping count: Int) throws {
    let kept = [latestLink, bestLink].compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: $0)
    }
    for name in try names.dropFirst(count) where !kept.contains(name) { remove(name) }
  }

  /// Makes a checkpoint the latest one, from which a run goes on. Those that came after it are of another
  /// course from then on: they are kept under other names.
  ///
  /// - Returns: the names that they had.
  /// - Throws: `CheckpointError`.
  func goOn(from checkpoint: Checkpoint) throws -> [String] {
    let name = (resolved(checkpoint.path) as NSString).lastPathComponent
    guard let order = Self.order(name) else { return [] }
    let later = try names.filter { Self.order($0)! > order }
    guard !later.isEmpty else { return [] }
    try pointLink(latestLink, to: name)
    let best = try? FileManager.default.destinationOfSymbolicLink(atPath: bestLink)
    if let best, later.contains(best) { unlink(bestLink) }
    for name in later {
      let abandoned = try freeName(name + Self.abandonedSuffix)
      try putInPlace(path + "/" + name, as: path + "/" + abandoned)
    }
    try syncDirectory(path)
    return later
  }

  /// Makes the directory ready for a run to write to: removes what a process that was killed has left
  /// half-written or half-removed, and makes links again of `latest` and `best` where a copy without
  /// links, such as by `cp -rL`, has put directories.
  ///
  /// - Throws: `CheckpointError`.
  func prepare() throws {
    for link in [latestLink, bestLink] { try restoreLink(link) }
    for entry in try entries
    where entry.hasPrefix(".\(Self.prefix)") || Self.remainsOfLinks.contains(entry) {
      try? FileManager.default.removeItem(atPath: path + "/" + entry)
    }
  }

  private func restoreLink(_ link: String) throws {
    var status = stat()
    guard lstat(link, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
    let content = Result { () throws(CheckpointError) in
      try Checkpoint(contentsOf: link).verified()
    }
    if case .failure(let error) = content, error.finding != .unusable {
      return try putInPlace(link, as: link + Self.damagedSuffix)
    }
    let copy = try content.get()
    if let original = try names.first(where: { isSame($0, as: copy) }) {
      try moveAside(link)
      try pointLink(link, to: original)
    } else {
      let name = try freeName(iteration: copy.state.position.iteration)
      try putInPlace(link, as: path + "/" + name)
      try pointLink(link, to: name)
    }
  }

  /// Whether a checkpoint of that name holds what another does.
  private func isSame(_ name: String, as other: Checkpoint) -> Bool {
    (try? Checkpoint(contentsOf: path + "/" + name).state) == other.state
  }

  private func remove(_ name: String) {
    try? moveAside(path + "/" + name)
  }

  /// Removes a directory under another name: what is half removed must not look like a checkpoint.
  private func moveAside(_ directory: String) throws {
    let name = URL(fileURLWithPath: directory).lastPathComponent
    let doomed = "\(path)/.\(name).removed"
    try? FileManager.default.removeItem(atPath: doomed)
    try putInPlace(directory, as: doomed)
    try? FileManager.default.removeItem(atPath: doomed)
  }

  /// The latest checkpoint whose files are all intact. One that is damaged or incomplete is passed over;
  /// a damaged one gets another name, under which it is kept. Where one cannot be read now, or not by
  /// this program, nothing older is taken for it.
  ///
  /// - Parameters:
  ///   - renamesDamaged: not for a run that is only looked at.
  ///   - progress: is called as the search gets on.
  ///   - report: is told of each that is passed over.
  /// - Throws: `CheckpointError` if there is none.
  func newestIntact(
    renamesDamaged: Bool = true, progress: () -> Void = {}, report: (String) -> Void
  ) throws -> Checkpoint {
    let names = try names
    let latest = try? FileManager.default.destinationOfSymbolicLink(atPath: latestLink)
    let candidates = names.filter { $0 == latest } + names.filter { $0 != latest }
    var problems = 0
    for name in candidates {
      do {
        let checkpoint = try Checkpoint(contentsOf: path + "/" + name).verified(progress: progress)
        if problems > 0 { report("going back to the checkpoint \(name)") }
        return checkpoint
      } catch let error where error.finding != .unusable {
        problems += 1
        report("\(error)")
        if renamesDamaged && error.finding == .damaged {
          do {
            try putInPlace(
              path + "/" + name, as: path + "/" + freeName(name + Self.damagedSuffix))
          } catch {
            report("\(path)/\(name) keeps its name: \(error)")
          }
        }
      } catch {
        throw CheckpointError(
          path: error.path,
          problem: error.problem
            + ". Nothing was changed: try again when that is mended, or name an"
            + " older checkpoint of \(path)")
      }
    }
    let others = try entries.filter { $0.hasPrefix(Self.prefix) }.sorted()
    guard !others.isEmpty else {
      throw CheckpointError(
        path: path,
        problem: "holds none of the run's checkpoints: bring them back, or name another --output to"
          + " begin anew")
    }
    throw CheckpointError(
      path: path,
      problem:
        "holds no intact checkpoint, only \(others.joined(separator: ", ")): bring one back, go on"
        + " from an abandoned one by giving it its name without .abandoned, or name another --output"
    )
  }
}
