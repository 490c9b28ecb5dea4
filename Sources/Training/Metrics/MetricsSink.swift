import Foundation
import Support

/// Where records of a run's metrics go, one after the other. Each is handed to the system at once, so that
/// a killed run keeps what it has recorded.
protocol MetricsSink: AnyObject {
  /// Opens the sink in a directory, which must exist; records follow those already there.
  ///
  /// - Parameter position: where the run goes on, if it does; records that it does not keep are dropped.
  /// - Throws: `MetricsLogError`.
  init(directory: String, from position: RunPosition?) throws

  /// - Throws: `MetricsLogError`, for instance on a full disk; the next record can follow all the same.
  func append(_ record: MetricsRecord) throws

  /// Takes the record back that was appended last.
  func removeLast() throws
}

extension RunPosition? {
  /// Whether a record stays where a run goes on from here, if it does: what comes later is made anew.
  func keeps(_ kind: MetricsRecord.Kind?, iteration: Int) -> Bool {
    guard let position = self else { return true }
    let isMadeAnew = kind == .epoch && !position.isValidated
    return iteration < position.iteration + (isMadeAnew ? 0 : 1)
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

  /// Does what writes metrics, and says what keeps it from that.
  static func rethrowing<Result>(
    _ path: String, _ body: () throws(FileError) -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch {
      throw MetricsLogError(path, "write", systemReason(of: error))
    }
  }

  public var description: String { "\(path): \(problem)" }

  public var errorDescription: String? { description }
}
