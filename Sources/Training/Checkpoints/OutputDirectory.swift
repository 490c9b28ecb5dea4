import Foundation

/// The directory of a run: its resolved configuration, metrics and checkpoints.
public struct OutputDirectory: Sendable {
  /// The directory's path.
  public let path: String
  /// Its checkpoints.
  public let checkpoints: CheckpointStore

  /// A directory that need not exist; `create` makes it.
  public init(_ path: String) {
    self.path = path
    checkpoints = CheckpointStore(run: path)
  }

  /// The resolved configuration.
  public var configuration: String { path + "/config.yaml" }

  /// - Throws: `OutputError` if the directory holds a run already.
  func requireNoRun() throws {
    guard FileManager.default.fileExists(atPath: configuration) else { return }
    throw OutputError(
      path: path,
      problem: "already holds a run; name another --output, or "
        + (checkpoints.isEmpty
          ? "remove it: it has no checkpoint yet" : "go on with it: --resume \(path)"))
  }

  /// Makes the directory, with those above it, and removes what a killed run has left half-written.
  ///
  /// - Throws: `OutputError`.
  public func create() throws {
    do {
      try FileManager.default.createDirectory(
        atPath: checkpoints.path, withIntermediateDirectories: true)
    } catch {
      throw OutputError(path: path, problem: "cannot be created: \(reason(of: error))")
    }
    checkpoints.removeRemains()
  }

  /// `runs/` with date and time.
  public static func defaultPath(at date: Date = Date()) -> String {
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
    return runs.map { OutputDirectory("runs/" + $0) }
      .compactMap { run in time(run).map { (run, $0) } }
      .max { $0.1 < $1.1 }?.0
  }

  /// Writes the resolved configuration.
  public func write(_ configuration: Configuration) throws {
    do {
      try configuration.yaml.write(
        toFile: self.configuration, atomically: true, encoding: .utf8)
    } catch {
      throw OutputError(
        path: self.configuration,
        problem: "cannot be written: \(reason(of: error))")
    }
  }
}

/// The system's words where there are any: Foundation's own are sometimes a mere number.
private func reason(of error: any Error) -> String {
  let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? POSIXError
  return cause.map { String(cString: strerror($0.code.rawValue)) } ?? error.localizedDescription
}

/// A directory that cannot take a run.
public struct OutputError: Error, CustomStringConvertible {
  /// The directory or file.
  public let path: String
  /// What is wrong, and what to do.
  public let problem: String

  public var description: String { "\(path) \(problem)" }
}
