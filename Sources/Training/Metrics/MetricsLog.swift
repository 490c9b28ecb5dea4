/// The metrics of a run, in every sink.
public final class MetricsLog {
  /// Of the files whose names are always the same.
  static let fileNames = [JSONLinesSink.fileName, CSVSink.fileName]
  private let sinks: [any MetricsSink]

  /// Opens the sinks in a directory, which must exist; records follow those already there.
  ///
  /// - Parameter position: where the run goes on, if it does; records of what comes after it are dropped,
  ///   since they are made anew.
  /// - Throws: `MetricsLogError`.
  public init(directory: String, from position: RunPosition? = nil) throws {
    let kinds: [any MetricsSink.Type] = [JSONLinesSink.self, CSVSink.self, TensorBoardSink.self]
    sinks = try kinds.map { try $0.init(directory: directory, from: position) }
  }

  /// Adds a record to all sinks, or to none.
  ///
  /// - Throws: `MetricsLogError`, for instance on a full disk; the next record can follow all the same.
  public func append(_ record: MetricsRecord) throws {
    for (index, sink) in sinks.enumerated() {
      do {
        try sink.append(record)
      } catch {
        for earlier in sinks[..<index] { try earlier.removeLast() }
        throw error
      }
    }
  }
}
