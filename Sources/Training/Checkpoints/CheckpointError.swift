/// A checkpoint that cannot be used or written.
public struct CheckpointError: Error, CustomStringConvertible {
  /// The file or directory.
  public let path: String
  /// What is wrong with it, and what to do.
  public let problem: String

  public var description: String { "\(path) \(problem)" }
}
