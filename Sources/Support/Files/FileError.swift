import Foundation

/// What the file system refused: where, why, and what to do.
public enum FileError: Error, Equatable, CustomStringConvertible, LocalizedError {
  /// There is nothing at `path`.
  case notFound(path: String)
  /// A file or directory exists but cannot be read (permissions, input/output errors).
  case unreadable(path: String, reason: String)
  /// A file cannot be written.
  case unwritable(path: String, reason: String)
  /// A file cannot be written because it would lie in what is no directory.
  case noDirectory(path: String, _ directory: String)
  /// A result would replace a file that is not `wanted`, what the result is.
  case occupied(path: String, wanted: String)
  /// A file is not what its format demands, first at byte `offset`.
  case damaged(path: String, offset: Int, reason: String)

  public var description: String {
    switch self {
    case .notFound(let path):
      "\(path): there is no such file or directory. Check the path."
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason). Check its permissions and the disk."
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason). "
        + ([ENOSPC, EDQUOT].map { systemReason($0) }.contains(reason)
          ? "Make room." : "Check its permissions and the disk.")
    case .noDirectory(let path, let directory):
      "\(path): cannot be written: \(directory) is no directory. Make it, or name another path."
    case .occupied(let path, let wanted):
      "\(path): is there already, and is no \(wanted). Name another file, or move that one away."
    case .damaged(let path, let offset, let reason):
      "\(path): malformed at byte \(offset): \(reason). "
        + "The file is damaged or incomplete; fetch or make it again."
    }
  }

  public var errorDescription: String? { description }
}

extension FileError {
  /// What `errno` says about why a file or directory cannot be read.
  static func reading(_ path: some CustomStringConvertible) -> FileError {
    errno == ENOENT
      ? .notFound(path: "\(path)") : .unreadable(path: "\(path)", reason: systemReason())
  }
}
