import Foundation

/// A file that grows by whole records, each of which is handed to the system at once: what a full disk has cut
/// short is taken back before anything follows it.
public final class GrowingFile {
  private let path: String
  private let descriptor: Int32
  /// Bytes of whole records, and of those before the last one.
  private var (end, endBeforeLast): (Int, Int)

  /// Whether it has no record.
  public var isEmpty: Bool { end == 0 }

  /// Opens a file, which is made where there is none.
  ///
  /// - Parameter size: of the records that are there.
  public init(path: String, size: Int = 0) throws(FileError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
    (end, endBeforeLast) = (size, size)
  }

  deinit {
    close(descriptor)
  }

  /// Adds a record, or nothing.
  public func append(_ bytes: [UInt8]) throws(FileError) {
    try cut()
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress! + written, bytes.count - written, off_t(end + written))
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        let error = FileError.unwritable(path: path, reason: systemReason())
        try cut()
        throw error
      }
      written += count
    }
    (endBeforeLast, end) = (end, end + bytes.count)
  }

  /// Takes the record back that was appended last.
  public func removeLast() throws(FileError) {
    end = endBeforeLast
    try cut()
  }

  /// Cuts off what is no whole record.
  private func cut() throws(FileError) {
    while ftruncate(descriptor, off_t(end)) != 0 {
      guard errno == EINTR else { throw .unwritable(path: path, reason: systemReason()) }
    }
  }
}
