import Configuration
import Datasets
import Foundation
import Support

/// The directory of a run: its resolved configuration, metrics and checkpoints.
public final class OutputDirectory {
  /// The directory's path.
  public private(set) var path: String
  /// Whether another name will do where this one is taken.
  private let isNameFree: Bool
  /// Whether no run may be there.
  private var isNew: Bool
  private var lock: RunLock?

  /// A directory that need not exist; `claim` makes it.
  ///
  /// - Parameters:
  ///   - path: nil for a new one, `runs/` with date and time, or with a number besides if another run
  ///     has begun in the same second.
  ///   - isNew: whether no run may be there.
  public init(_ path: String?, isNew: Bool = true, at date: Date = Date()) {
    self.path = path ?? Self.defaultPath(at: date)
    self.isNew = isNew
    isNameFree = path == nil
  }

  /// Its checkpoints.
  public var checkpoints: CheckpointStore { CheckpointStore(run: path) }

  /// The resolved configuration.
  public var configuration: String { path + "/config.yaml" }

  /// - Throws: `OutputError` if the directory that somebody named holds a run already, or what a run would
  ///   write over.
  func requireNoRun() throws {
    guard !isNameFree else { return }
    if FileManager.default.fileExists(atPath: configuration) { throw holdsRun }
    try requireNothingOfOthers()
  }

  /// Checks that a run which is to begin here would not write over anything but what one has left that had
  /// no checkpoint yet.
  private func requireNothingOfOthers() throws {
    func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
    if isThere(configuration) {
      var earlier = Configuration()
      guard (try? earlier.apply(file: configuration)) == nil else { return }
      throw refusal("has a config.yaml that is not of a run")
    }
    let others =
      MetricsLog.fileNames.map { "\(path)/\($0)" } + [checkpoints.latestLink, checkpoints.bestLink]
    if let other = others.first(where: isThere) {
      throw refusal("holds no run, but \(other), which one would write over")
    }
    // Where they cannot be read, nothing can be written either, which is told then.
    guard (try? checkpoints.names)?.isEmpty ?? true else {
      throw OutputError(
        path: path,
        problem:
          "holds checkpoints of another run, among which those of a new one would get lost: name"
          + " another --output, or go on with that run: --resume \(path)")
    }
  }

  private var holdsRun: OutputError {
    let isEmpty = (try? checkpoints.isEmpty) ?? false
    return OutputError(
      path: path,
      problem: "already holds a run; name another --output, or "
        + (isEmpty
          ? "remove it: it has no checkpoint yet" : "go on with it: --resume \(path)"))
  }

  /// Checks that a new run is not its data, and does not hold them.
  ///
  /// - Parameter dataPath: as configured.
  /// - Throws: `OutputError`.
  func requireApart(from dataPath: String) throws {
    let run = resolved(path)
    let linked = URL(fileURLWithPath: dataPath).standardizedFileURL.path
    guard run != resolved(dataPath) else {
      throw refusal("is the data set, among whose files a run must not be")
    }
    guard ![resolved(dataPath), linked].contains(where: { $0.hasPrefix(run + "/") }) else {
      throw refusal("holds the data set \(dataPath), which would go when the run is removed")
    }
  }

  /// Checks that a new run would not be taken for a checkpoint of another.
  ///
  /// - Throws: `OutputError`.
  func requireApartFromCheckpoints() throws {
    var directory = URL(fileURLWithPath: resolved(path)).deletingLastPathComponent()
    while directory.path != "/" {
      let run = directory.deletingLastPathComponent()
      if directory.lastPathComponent == CheckpointStore.directoryName,
        FileManager.default.fileExists(atPath: OutputDirectory(run.path).configuration)
      {
        throw refusal("is among the checkpoints of the run \(run.path)")
      }
      directory = run
    }
  }

  /// Checks that a new run would not be taken for a class of its data.
  ///
  /// - Throws: `OutputError`.
  func requireApart(fromClassesOf data: TrainingData) throws {
    for directory in data.classDirectories
    where (resolved(path) + "/").hasPrefix(resolved(directory) + "/") {
      throw refusal("is in \(directory), where each directory is taken for a class")
    }
  }

  private func refusal(_ reason: String) -> OutputError {
    OutputError(path: path, problem: "\(reason): name another --output")
  }

  /// Seconds to wait for a process that is just leaving a run which is to go on.
  private static let patience = 5.0

  /// Makes the directory, with those above it, keeps it for this process, and removes what a killed run
  /// has left half-written.
  ///
  /// - Throws: `OutputError` if a run is there and must not be, or another process is at work there;
  ///   `CheckpointError`.
  public func claim() throws {
    guard lock == nil else { return }
    if isNameFree { try makeFreeDirectory() }
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: checkpoints.path)
    // Says that it leads to a disk that is not there now.
    if link != nil { _ = try isThere(checkpoints.path) }
    try makeDirectory(checkpoints.path)
    let lock = try RunLock(directory: path, patience: isNew ? 0 : Self.patience)
    if isNew {
      try requireNoRun()
    } else if try checkpoints.isEmpty {
      try requireNothingOfOthers()
    }
    try checkpoints.prepare()
    self.lock = lock
  }

  private func makeFreeDirectory() throws {
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
    try makeDirectory(parent)
    let first = path
    for number in 2... {
      if mkdir(path, 0o777) == 0 { return }
      guard errno == EEXIST else {
        throw OutputError(
          path: path, problem: "cannot be created: \(systemReason())")
      }
      path = "\(first)-\(number)"
    }
  }

  private func makeDirectory(_ directory: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw OutputError(path: path, problem: "cannot be created: \(systemReason(of: error))")
    }
  }

  private static func defaultPath(at date: Date) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "yyyyMMdd-HHmmss"
    return "runs/" + format.string(from: date)
  }

  /// The run in `runs/` whose checkpoint is the latest.
  static var latestRun: OutputDirectory? {
    let runs = (try? FileManager.default.contentsOfDirectory(atPath: "runs")) ?? []
    func time(_ run: OutputDirectory) -> Date? {
      let attributes = try? FileManager.default.attributesOfItem(
        atPath: run.checkpoints.latestLink)
      return attributes?[.modificationDate] as? Date
    }
    return runs.map { OutputDirectory("runs/" + $0, isNew: false) }
      .compactMap { run in time(run).map { (run, $0) } }
      .max { $0.1 < $1.1 }?.0
  }

  /// Writes the resolved configuration. Of two new runs only one can, also where there are no locks.
  public func write(_ configuration: Configuration) throws {
    let temporary = "\(path)/.config.yaml.\(getpid())"
    defer { unlink(temporary) }
    do {
      try configuration.yaml.write(toFile: temporary, atomically: false, encoding: .utf8)
    } catch {
      throw OutputError(
        path: self.configuration, problem: "cannot be written: \(systemReason(of: error))")
    }
    if isNew && link(temporary, self.configuration) == 0 { return isNew = false }
    guard !isNew || errno != EEXIST else { throw holdsRun }
    guard rename(temporary, self.configuration) == 0 else {
      throw OutputError(
        path: self.configuration, problem: "cannot be written: \(systemReason())")
    }
  }
}

/// A directory that cannot take a run.
public struct OutputError: Error, CustomStringConvertible {
  /// The directory or file.
  public let path: String
  /// What is wrong, and what to do.
  public let problem: String

  public var description: String { "\(path) \(problem)" }
}
