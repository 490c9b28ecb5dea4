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

/// The names in a directory, unsorted.
func directoryEntries(_ path: String) throws(DatasetError) -> [String] {
  do {
    return try FileManager.default.contentsOfDirectory(atPath: path)
  } catch {
    throw .unreadable(path: path, reason: error.localizedDescription)
  }
}

/// The directories in a directory, sorted by their bytes; hidden ones are left out.
func subdirectories(of path: String) throws(DatasetError) -> [String] {
  try directoryEntries(path).filter { name in
    guard !name.hasPrefix(".") else { return false }
    return (try? FileKind(path: path + "/" + name)) == .directory
  }.sortedByBytes()
}

/// Replaces `bytes` by a file's content; keeps the buffer's memory.
func readFile(_ path: String, into bytes: inout [UInt8]) throws(DatasetError) {
  func failure() -> DatasetError {
    .unreadable(path: path, reason: String(cString: strerror(errno)))
  }
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw failure() }
  defer { close(file) }
  var status = stat()
  guard fstat(file, &status) == 0 else { throw failure() }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw .unreadable(path: path, reason: "it is not a regular file")
  }

  bytes.resize(to: Int(status.st_size))
  var filled = 0
  while filled < bytes.count {
    let count = bytes.withUnsafeMutableBytes { buffer in
      read(file, buffer.baseAddress! + filled, buffer.count - filled)
    }
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw failure() }
    guard count > 0 else { break }
    filled += count
  }
  bytes.resize(to: filled)
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
