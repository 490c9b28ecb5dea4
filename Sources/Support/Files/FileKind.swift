import Foundation

/// What a path leads to, symbolic links followed.
public enum FileKind {
  case file, directory

  public init(path: String) throws(FileError) {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .notFound(path: path)
    }
    self = isDirectory.boolValue ? .directory : .file
  }
}

/// What the file system says about what a path leads to, symbolic links followed.
public struct FileStatus {
  public let status: stat

  public init(of path: RawPath) throws(FileError) {
    var status = stat()
    guard path.withCString({ stat($0, &status) }) == 0 else {
      throw .reading(path)
    }
    self.status = status
  }

  public var isDirectory: Bool { status.st_mode & S_IFMT == S_IFDIR }
}

/// A file's bytes; 0 where there is none.
public func fileSize(_ path: String) -> Int {
  var status = stat()
  return stat(path, &status) == 0 ? Int(status.st_size) : 0
}

/// Whether there is something at a path.
///
/// - Throws: `FileError` where that cannot be told now, as of a link to what is not there: a disk may
///   not have been mounted.
public func isThere(_ path: String) throws(FileError) -> Bool {
  var status = stat()
  guard stat(path, &status) != 0 else { return true }
  guard errno == ENOENT else { throw .unreadable(path: path, reason: systemReason()) }
  var path = path
  while path != "/", !path.isEmpty, path != "." {
    if lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFLNK, stat(path, &status) != 0 else { return false }
      throw .unreadable(path: path, reason: "it is a link to something that is not there now")
    }
    path = (path as NSString).deletingLastPathComponent
  }
  return false
}
