import Foundation

/// What a path leads to, symbolic links followed.
enum FileKind {
  case file, directory

  init(path: String) throws(DatasetError) {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .notFound(path: path)
    }
    self = isDirectory.boolValue ? .directory : .file
  }
}

/// What the file system says about what a path leads to, symbolic links followed.
struct FileStatus {
  let status: stat

  init(of path: RawPath) throws(DatasetError) {
    var status = stat()
    guard path.withCString({ stat($0, &status) }) == 0 else {
      throw .unreadable(path: "\(path)", reason: errorText())
    }
    self.status = status
  }
}

/// Hands every entry of a directory to `body`, unsorted, with what the directory itself says about
/// its kind: `nil` for symbolic links and where the file system does not tell. No file is touched.
func forEachEntry(
  of path: RawPath, _ body: (_ name: [UInt8], _ kind: FileKind?) -> Void
) throws(DatasetError) {
  guard let directory = path.withCString({ opendir($0) }) else {
    throw .unreadable(path: "\(path)", reason: errorText())
  }
  defer { closedir(directory) }
  let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name)!
  while true {
    errno = 0
    guard let entry = readdir(directory) else {
      guard errno == 0 else { throw .unreadable(path: "\(path)", reason: errorText()) }
      return
    }
    // The record is as long as its name, not as the structure.
    let start = (UnsafeRawPointer(entry) + nameOffset).assumingMemoryBound(to: UInt8.self)
    let name = Array(UnsafeBufferPointer(start: start, count: strlen(start)))
    guard name != Array(".".utf8), name != Array("..".utf8) else { continue }
    let kind: FileKind? =
      switch Int(entry.pointee.d_type) {
      case Int(DT_DIR): .directory
      case Int(DT_REG): .file
      default: nil
      }
    body(name, kind)
  }
}

/// The names in a directory, unsorted.
func directoryEntries(_ path: String) throws(DatasetError) -> [String] {
  var names: [String] = []
  try forEachEntry(of: RawPath(path)) { name, _ in names.append("\(RawPath(name))") }
  return names
}

/// The directories in a directory, sorted by their bytes; hidden ones are left out.
func subdirectories(of path: String) throws(DatasetError) -> [String] {
  try FileSystemDirectory(path: RawPath(path)).subdirectories().map { "\(RawPath($0.name))" }
}

/// A file's bytes; 0 where there is none.
func fileSize(_ path: String) -> Int {
  var status = stat()
  return stat(path, &status) == 0 ? Int(status.st_size) : 0
}

/// Replaces `bytes` by a file's content; keeps the buffer's memory.
func readFile(_ path: String, into bytes: inout [UInt8]) throws(DatasetError) {
  try readFile(RawPath(path), into: &bytes)
}

func readFile(_ path: RawPath, into bytes: inout [UInt8]) throws(DatasetError) {
  let file = try RandomAccessFile(path: path)
  try file.read(0..<file.size, into: &bytes)
}

/// Whether there is something at a path.
///
/// - Throws: `DatasetError` where that cannot be told now, as of a link to what is not there: a disk may
///   not have been mounted.
public func isThere(_ path: String) throws(DatasetError) -> Bool {
  var status = stat()
  guard stat(path, &status) != 0 else { return true }
  guard errno == ENOENT else { throw .unreadable(path: path, reason: errorText()) }
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

/// What is in a regular file; `nil` if there is none.
///
/// - Throws: `DatasetError`, as `isThere`, and for instance of a pipe, rather than to wait for what
///   comes out of it.
public func contentsOfFile(_ path: String) throws(DatasetError) -> Data? {
  guard try isThere(path) else { return nil }
  var bytes: [UInt8] = []
  try readFile(path, into: &bytes)
  return Data(bytes)
}

/// Writes a file so that whoever opens it finds the whole content, or what was there before.
func writeFile(_ path: String, _ bytes: some Sequence<UInt8>) throws(DatasetError) {
  do {
    try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
  } catch {
    throw .unwritable(path: path, reason: systemReason(of: error))
  }
}

extension Array {
  /// Changes the count and keeps the memory; new elements are `filler`.
  mutating func resize(to newCount: Int, filler: Element) {
    if newCount < count {
      removeLast(count - newCount)
    } else if newCount > count {
      append(contentsOf: repeatElement(filler, count: newCount - count))
    }
  }
}

extension Array where Element: FixedWidthInteger {
  /// Changes the count and keeps the memory; new elements are 0.
  mutating func resize(to newCount: Int) { resize(to: newCount, filler: 0) }
}
