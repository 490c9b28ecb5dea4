import Foundation

/// The files `metrics.jsonl` and `metrics.csv` of a run. Each record is a line in both, handed to
/// the system at once, so that a killed run keeps what it has recorded.
public final class MetricsLog {
  private let jsonl: LineFile
  private let csv: LineFile

  /// Opens the files in a directory, which must exist; records follow those already there.
  ///
  /// - Throws: `MetricsLogError`.
  public init(directory: String) throws {
    jsonl = try LineFile(path: directory + "/metrics.jsonl")
    csv = try LineFile(path: directory + "/metrics.csv")
    if csv.isEmpty {
      try csv.append(MetricsRecord.csvHeader)
    }
  }

  /// - Throws: `MetricsLogError`, for instance on a full disk.
  public func append(_ record: MetricsRecord) throws {
    try jsonl.append(record.json)
    try csv.append(record.csv)
  }
}

/// A metrics file that cannot be written.
public struct MetricsLogError: Error, Equatable, CustomStringConvertible, LocalizedError {
  public let path: String
  /// The `errno` of the failed operation.
  public let code: Int32

  public var description: String {
    "\(path): cannot write metrics: \(String(cString: strerror(code)))"
  }

  public var errorDescription: String? { description }
}

/// A text file that grows by whole lines.
private final class LineFile {
  private let path: String
  private let descriptor: Int32
  let isEmpty: Bool

  init(path: String) throws {
    self.path = path
    descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw MetricsLogError(path: path, code: errno) }
    let end = lseek(descriptor, 0, SEEK_END)
    isEmpty = end <= 0
    var last: UInt8 = 0
    if end > 0, pread(descriptor, &last, 1, end - 1) == 1, last != UInt8(ascii: "\n") {
      try append("")  // A full disk may have cut the last line short: do not lengthen it.
    }
  }

  deinit {
    close(descriptor)
  }

  func append(_ line: String) throws {
    var rest = Array((line + "\n").utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      guard written >= 0 else { throw MetricsLogError(path: path, code: errno) }
      rest = rest.dropFirst(written)
    }
  }
}
