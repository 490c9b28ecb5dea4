import Foundation
import Support

/// A text file that grows by whole lines: what a full disk has cut short is taken back before anything
/// follows it.
final class LineFile {
  private let path: String
  private let descriptor: Int32
  /// Bytes of whole lines, and of those before the last one.
  private var (end, endBeforeLast): (Int, Int)

  var isEmpty: Bool { end == 0 }

  /// - Parameter keeps: which of the lines that are there stay.
  init(path: String, keeping keeps: (String) -> Bool) throws {
    self.path = path
    let bytes = try Self.contents(of: path)
    let kept = Self.lines(of: bytes).filter(keeps).map { $0 + "\n" }.joined()
    if !kept.utf8.elementsEqual(bytes) {
      do {
        try kept.write(toFile: path, atomically: true, encoding: .utf8)
      } catch {
        throw MetricsLogError(path, "write", systemReason(of: error))
      }
    }
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw MetricsLogError(path, "write", systemReason()) }
    end = kept.utf8.count
    endBeforeLast = end
  }

  deinit {
    close(descriptor)
  }

  /// What is in a file; nothing if there is none.
  static func contents(of path: String) throws -> Foundation.Data {
    do {
      return try contentsOfFile(path) ?? Foundation.Data()
    } catch {
      throw MetricsLogError(path, "read", systemReason(of: error))
    }
  }

  /// The whole lines of a text.
  static func lines(of text: Foundation.Data) -> [String] {
    text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
      .map { String(decoding: $0, as: UTF8.self) }
  }

  func append(_ line: String) throws {
    try cut()
    let bytes = Array((line + "\n").utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress! + written, bytes.count - written, off_t(end + written))
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        let error = MetricsLogError(path, "write", systemReason())
        try cut()
        throw error
      }
      written += count
    }
    (endBeforeLast, end) = (end, end + bytes.count)
  }

  /// Takes the line back that was appended last.
  func removeLast() throws {
    end = endBeforeLast
    try cut()
  }

  /// Cuts off what is no whole line.
  private func cut() throws {
    while ftruncate(descriptor, off_t(end)) != 0 {
      guard errno == EINTR else { throw MetricsLogError(path, "write", systemReason()) }
    }
  }
}
