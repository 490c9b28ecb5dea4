import Foundation
import Support

/// A text file of metrics that grows by whole lines.
final class LineFile {
  private let path: String
  private let file: GrowingFile

  var isEmpty: Bool { file.isEmpty }

  /// - Parameter kept: what becomes of a line that is there; nil: it goes.
  init(path: String, keeping kept: (String) -> String?) throws {
    self.path = path
    let bytes = try Self.contents(of: path)
    let text = Self.lines(of: bytes).compactMap(kept).map { $0 + "\n" }.joined()
    do {
      if !text.utf8.elementsEqual(bytes) {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
      }
      file = try GrowingFile(path: path, size: text.utf8.count)
    } catch {
      throw MetricsLogError(path, "write", systemReason(of: error))
    }
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
    try MetricsLogError.rethrowing(path) { () throws(FileError) in
      try file.append(Array((line + "\n").utf8))
    }
  }

  /// Takes the line back that was appended last.
  func removeLast() throws {
    try MetricsLogError.rethrowing(path) { () throws(FileError) in try file.removeLast() }
  }
}
