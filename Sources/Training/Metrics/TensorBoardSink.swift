import Support
import TensorBoard

/// `events.out.tfevents.…`: what TensorBoard shows, a new file at each start of the run.
///
/// Numbers have the names that they have in `metrics.jsonl`, behind the kind of their record.
final class TensorBoardSink: MetricsSink {
  private let directory: String
  private let file: EventFile

  init(directory: String, from position: RunPosition?) throws {
    self.directory = directory
    // The record of an epoch that ends right here may come again, with the same numbers: to replace it would
    // take that of the last interval with it.
    let next = position.map { $0.iteration + 1 }
    file = try MetricsLogError.rethrowing(directory) { () throws(FileError) in
      try EventFile(directory: directory, replacingFrom: next)
    }
  }

  func append(_ record: MetricsRecord) throws {
    try MetricsLogError.rethrowing(directory) { () throws(FileError) in
      try file.append(step: record.iteration, record.eventValues)
    }
  }

  func removeLast() throws {
    try MetricsLogError.rethrowing(directory) { () throws(FileError) in try file.removeLast() }
  }
}

extension MetricsRecord {
  /// The record as TensorBoard shows it; what says only where the run stood is left out.
  var eventValues: [EventValue] {
    var values = fields.compactMap { name, value -> EventValue? in
      guard let number = value?.double, !["epoch", "iteration", "samples"].contains(name) else {
        return nil
      }
      return EventValue("\(kind.rawValue)/\(name)", .scalar(number))
    }
    for layer in firing?.layers ?? [] {
      values.append(EventValue("firing_rate/\(layer.name)", .scalar(firing!.rate(of: layer))))
    }
    for layer in validationFiring?.layers ?? [] {
      guard let share = layer.silentShare else { continue }
      values.append(EventValue("silent/\(layer.name)", .scalar(share)))
    }
    return values
      + histograms.sorted { $0.key < $1.key }.map { EventValue($0.key, .histogram($0.value)) }
  }
}

extension MetricsRecord.Value {
  fileprivate var double: Double? {
    switch self {
    case .text: nil
    case .integer(let number): Double(number)
    case .number(let number): number
    }
  }
}
