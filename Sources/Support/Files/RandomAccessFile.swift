import Foundation

/// An open file that any number of threads read at any place.
public final class RandomAccessFile: Sendable {
  public let path: String
  /// In bytes, when the file was opened.
  public let size: Int
  private let descriptor: Int32

  public convenience init(path: String) throws(FileError) {
    try self.init(path: RawPath(path))
  }

  public init(path: RawPath) throws(FileError) {
    let file = try openedRegularFile(path)
    self.path = "\(path)"
    (descriptor, size) = (file.descriptor, file.size)
  }

  deinit {
    close(descriptor)
  }

  /// Replaces `bytes` by a part of the file; keeps the buffer's memory.
  public func read(_ range: Range<Int>, into bytes: inout [UInt8]) throws(FileError) {
    bytes.resize(to: range.count)
    var filled = 0
    while filled < range.count {
      let count = bytes.withUnsafeMutableBytes { buffer in
        pread(
          descriptor, buffer.baseAddress! + filled, buffer.count - filled,
          range.lowerBound + filled)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
      guard count > 0 else {
        throw .damaged(
          path: path, offset: range.lowerBound + filled,
          reason: "the file ends here, and \(range.count - filled) more bytes are needed")
      }
      filled += count
    }
  }

  /// Hands the file to `body` part by part.
  public func forEachPart(
    of size: Int, _ body: ([UInt8]) throws(FileError) -> Void
  ) throws(FileError) {
    var part: [UInt8] = []
    for start in stride(from: 0, to: self.size, by: size) {
      try read(start..<min(start + size, self.size), into: &part)
      try body(part)
    }
  }
}

/// Opens a regular file for reading; the caller closes the descriptor.
func openedRegularFile(_ path: RawPath) throws(FileError) -> (descriptor: Int32, size: Int) {
  // A pipe would keep `open` waiting for somebody to write to it.
  let descriptor = path.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
  guard descriptor >= 0 else { throw .reading(path) }
  var status = stat()
  var reason: String?
  if fstat(descriptor, &status) != 0 {
    reason = systemReason()
  } else if status.st_mode & S_IFMT == S_IFDIR {
    reason = "it is a directory"
  } else if status.st_mode & S_IFMT != S_IFREG {
    reason = "it is not a regular file"
  }
  if let reason {
    close(descriptor)
    throw .unreadable(path: "\(path)", reason: reason)
  }
  return (descriptor, Int(status.st_size))
}
