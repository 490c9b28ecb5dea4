import Foundation

/// The directory of a run: its resolved configuration, metrics and checkpoints.
public struct OutputDirectory: Sendable {
  /// The directory's path.
  public let path: String

  /// Takes a directory for a run; `create` makes it.
  ///
  /// - Throws: `OutputError` if it holds a run already.
  public init(_ path: String) throws {
    self.path = path
    guard FileManager.default.fileExists(atPath: configuration) else { return }
    let canGoOn = FileManager.default.fileExists(atPath: latestOptimizer)
    throw OutputError(
      path: path,
      problem: "already holds a run; name another --output, or "
        + (canGoOn ? "go on with it: --resume \(path)" : "remove it: it has no checkpoint yet"))
  }

  /// The directory of a run that is to go on.
  ///
  /// - Throws: `OutputError` if it holds none.
  public init(resuming path: String) throws {
    self.path = path
    for file in [configuration, latestOptimizer]
    where !FileManager.default.fileExists(atPath: file) {
      throw OutputError(
        path: path,
        problem: "holds no run that can go on: there is no \(file); a run can from its first"
          + " checkpoint on, after the first epoch")
    }
  }

  /// The resolved configuration.
  public var configuration: String { path + "/config.yaml" }

  /// Makes the directory, with those above it.
  ///
  /// - Throws: `OutputError`.
  public func create() throws {
    do {
      try FileManager.default.createDirectory(
        atPath: checkpoints, withIntermediateDirectories: true)
    } catch {
      throw OutputError(path: path, problem: "cannot be created: \(reason(of: error))")
    }
  }

  /// `runs/` with date and time.
  public static func defaultPath(at date: Date = Date()) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "yyyyMMdd-HHmmss"
    return "runs/" + format.string(from: date)
  }

  private var checkpoints: String { path + "/checkpoints" }

  /// The checkpoint of the latest epoch.
  public var latestCheckpoint: String { checkpoints + "/latest.safetensors" }

  /// What the run needs to go on: weights, optimizer state and position after the latest epoch.
  public var latestOptimizer: String { checkpoints + "/latest.optimizer.safetensors" }

  /// The checkpoint with the greatest validation accuracy.
  public var bestCheckpoint: String { checkpoints + "/best.safetensors" }

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
