import Datasets
import Foundation
import Support

/// A checkpoint that cannot be used or written.
public struct CheckpointError: Error, CustomStringConvertible {
  /// What an error says about a checkpoint that is there.
  enum Finding: Sendable {
    /// Its own checksums prove that it is not what was written.
    case damaged
    /// A part of it is not there.
    case incomplete
    /// It may be good: it cannot be read now, or not by this program, or is not what was asked for.
    case unusable
  }

  /// The file or directory.
  public let path: String
  /// What is wrong with it, and what to do.
  public let problem: String
  let finding: Finding

  init(path: String, problem: String, finding: Finding = .unusable) {
    (self.path, self.problem, self.finding) = (path, problem, finding)
  }

  /// What keeps a file from being read, from `errno` or Foundation's error.
  init(reading path: String, _ error: any Error) {
    let isAbsent = (error as? CocoaError)?.code == .fileReadNoSuchFile
    self.init(
      path: path, problem: "cannot be read: \(systemReason(of: error))",
      finding: isAbsent ? .incomplete : .unusable)
  }

  public var description: String { "\(path) \(problem)" }
}
