import Foundation

/// An open file that any number of threads read at any place.
final class RandomAccessFile: Sendable {
  let path: String
  /// In bytes, when the file was opened.
  let size: Int
  private let descriptor: Int32

  convenience init(path: String) throws(DatasetError) {
    try self.init(path: RawPath(path))
  }

  init(path rawPath: RawPath) throws(DatasetError) {
    let path = "\(rawPath)"
    // A pipe would keep `open` waiting for somebody to write to it.
    let descriptor = rawPath.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: errorText()) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let reason = errorText()
      close(descriptor)
      throw .unreadable(path: path, reason: reason)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let isDirectory = status.st_mode & S_IFMT == S_IFDIR
      throw .unreadable(
        path: path, reason: isDirectory ? "it is a directory" : "it is not a regular file")
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit {
    close(descriptor)
  }

  /// Replaces `bytes` by a part of the file; keeps the buffer's memory.
  func read(_ range: Range<Int>, into bytes: inout [UInt8]) throws(DatasetError) {
    bytes.resize(to: range.count)
    var filled = 0
    while filled < range.count {
      let count = bytes.withUnsafeMutableBytes { buffer in
        pread(
          descriptor, buffer.baseAddress! + filled, buffer.count - filled,
          range.lowerBound + filled)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .unreadable(path: path, reason: errorText()) }
      guard count > 0 else {
        throw .damagedFile(
          path: path, offset: range.lowerBound + filled,
          reason: "the file ends here, and \(range.count - filled) more bytes are needed")
      }
      filled += count
    }
  }

  /// Hands the file to `body` part by part.
  func forEachPart(of size: Int, _ body: ([UInt8]) -> Void) throws(DatasetError) {
    var part: [UInt8] = []
    for start in stride(from: 0, to: self.size, by: size) {
      try read(start..<min(start + size, self.size), into: &part)
      body(part)
    }
  }
}

/// What `errno` says.
func errorText() -> String { String(cString: strerror(errno)) }
