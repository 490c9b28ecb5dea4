import Foundation

/// The directory of a run: its resolved configuration, metrics and checkpoints.
public struct OutputDirectory: Sendable {
  /// The directory's path.
  public let path: String

  /// Makes the directory, with those above it.
  ///
  /// - Throws: `OutputError` if it holds a run already, or cannot be written.
  public init(creating path: String) throws {
    self.path = path
    let files = FileManager.default
    if files.fileExists(atPath: path + "/config.yaml") {
      throw OutputError(
        path: path, problem: "already holds a run; name another --output, or move it away")
    }
    do {
      try files.createDirectory(atPath: checkpoints, withIntermediateDirectories: true)
    } catch {
      throw OutputError(
        path: path, problem: "cannot be created: \(error.localizedDescription)")
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

  /// The optimizer's state that belongs to the latest checkpoint.
  public var latestOptimizer: String { checkpoints + "/latest.optimizer.safetensors" }

  /// The checkpoint with the greatest validation accuracy.
  public var bestCheckpoint: String { checkpoints + "/best.safetensors" }

  /// Writes the resolved configuration.
  public func write(_ configuration: Configuration) throws {
    do {
      try configuration.yaml.write(
        toFile: path + "/config.yaml", atomically: true, encoding: .utf8)
    } catch {
      throw OutputError(
        path: path + "/config.yaml",
        problem: "cannot be written: \(error.localizedDescription)")
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
