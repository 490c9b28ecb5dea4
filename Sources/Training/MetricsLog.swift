import Foundation

/// The files `metrics.jsonl` and `metrics.csv` of a run. Each record is a line in both, handed to
/// the system at once, so that a killed run keeps what it has recorded.
public final class MetricsLog {
  private let jsonl: LineFile
  private let csv: LineFile

  /// Opens the files in a directory, which must exist; records follow those already there.
  ///
  /// - Parameter iteration: records of later iterations are dropped: a run that goes on from there
  ///   makes them anew.
  /// - Throws: `MetricsLogError`.
  public init(directory: String, upToIteration iteration: Int = .max) throws {
    let column = MetricsRecord.csvHeader.split(separator: ",").firstIndex(of: "iteration")!
    jsonl = try LineFile(path: directory + "/metrics.jsonl") { line in
      guard let number = line.firstMatch(of: #/"iteration": (\d+)/#) else { return true }
      return Int(number.1)! <= iteration
    }
    csv = try LineFile(path: directory + "/metrics.csv") { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard column < fields.count, let number = Int(fields[column]) else { return true }
      return number <= iteration
    }
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

  /// - Parameter keeps: which of the lines that are there stay.
  init(path: String, keeping keeps: (String) -> Bool) throws {
    self.path = path
    try Self.drop(from: path, unless: keeps)
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

  private static func drop(from path: String, unless keeps: (String) -> Bool) throws {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let kept = lines.filter { $0.isEmpty || keeps($0) }
    guard kept != lines else { return }
    do {
      try kept.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw MetricsLogError(path: path, code: errno)
    }
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
