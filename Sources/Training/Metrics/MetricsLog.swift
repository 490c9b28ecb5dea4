import Datasets
import Foundation
import Support

/// The files `metrics.jsonl` and `metrics.csv` of a run. Each record is a line in both, handed to
/// the system at once, so that a killed run keeps what it has recorded.
public final class MetricsLog {
  private let jsonl: LineFile
  private let csv: LineFile

  /// Opens the files in a directory, which must exist; records follow those already there.
  ///
  /// - Parameter position: where the run goes on, if it does; records of what comes after it are dropped,
  ///   since they are made anew.
  /// - Throws: `MetricsLogError`.
  public init(directory: String, from position: RunPosition? = nil) throws {
    func keeps(_ record: Entry?) -> Bool {
      guard let record else { return false }
      guard let position else { return true }
      let isMadeAnew =
        record.kind == MetricsRecord.Kind.epoch.rawValue
        && !position.isValidated
      return record.iteration < position.iteration + (isMadeAnew ? 0 : 1)
    }
    jsonl = try LineFile(path: directory + "/metrics.jsonl") { keeps(Entry(json: $0)) }
    csv = try LineFile(path: directory + "/metrics.csv") {
      $0 == MetricsRecord.csvHeader || keeps(Entry(csv: $0))
    }
    if csv.isEmpty {
      try csv.append(MetricsRecord.csvHeader)
    }
  }

  /// Adds a record to both files, or to none.
  ///
  /// - Throws: `MetricsLogError`, for instance on a full disk; the next record can follow all the same.
  public func append(_ record: MetricsRecord) throws {
    try jsonl.append(record.json)
    do {
      try csv.append(record.csv)
    } catch {
      try jsonl.removeLast()
      throw error
    }
  }

  /// What tells whether a line stays; nil for lines that were cut short.
  private struct Entry {
    let kind: String
    let iteration: Int

    init?(json line: String) {
      guard line.hasSuffix("}"),
        let match = line.firstMatch(of: #/^\{"kind": "(\w+)".*?"iteration": (\d+)/#),
        let iteration = Int(match.2)
      else { return nil }
      (kind, self.iteration) = (String(match.1), iteration)
    }

    private static let columns = MetricsRecord.csvHeader.split(separator: ",")
    private static let kindColumn = columns.firstIndex(of: "kind")!
    private static let iterationColumn = columns.firstIndex(of: "iteration")!

    init?(csv line: String) {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count == Self.columns.count, let iteration = Int(fields[Self.iterationColumn])
      else { return nil }
      (kind, self.iteration) = (String(fields[Self.kindColumn]), iteration)
    }
  }
}

/// A metrics file that cannot be written or read.
public struct MetricsLogError: Error, Equatable, CustomStringConvertible, LocalizedError {
  public let path: String
  /// What could not be done, and why.
  public let problem: String

  init(_ path: String, _ operation: String, _ reason: String) {
    self.path = path
    problem = "cannot \(operation) metrics: \(reason)"
  }

  public var description: String { "\(path): \(problem)" }

  public var errorDescription: String? { description }
}

/// A text file that grows by whole lines: what a full disk has cut short is taken back before anything
/// follows it.
private final class LineFile {
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
