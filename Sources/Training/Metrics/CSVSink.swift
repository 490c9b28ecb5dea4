/// `metrics.csv`: a table with the names of its columns in the first line.
final class CSVSink: MetricsSink {
  static let fileName = "metrics.csv"
  private let file: LineFile

  init(directory: String, from position: RunPosition?) throws {
    let columns = MetricsRecord.csvHeader.split(separator: ",")
    let (kind, iteration) = (
      columns.firstIndex(of: "kind")!, columns.firstIndex(of: "iteration")!
    )
    // Earlier versions had fewer columns, the first ones of these.
    var columnsThere = columns.count
    file = try LineFile(path: directory + "/" + Self.fileName) { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      if columns.starts(with: fields) {
        columnsThere = fields.count
        return MetricsRecord.csvHeader
      }
      // Lines that were cut short go.
      guard fields.count == columnsThere, let number = Int(fields[iteration]),
        position.keeps(MetricsRecord.Kind(rawValue: String(fields[kind])), iteration: number)
      else { return nil }
      return line + String(repeating: ",", count: columns.count - columnsThere)
    }
    if file.isEmpty { try file.append(MetricsRecord.csvHeader) }
  }

  func append(_ record: MetricsRecord) throws { try file.append(record.csv) }

  func removeLast() throws { try file.removeLast() }
}

extension MetricsRecord {
  /// One row of CSV, without what each layer has; fields that were not measured are empty.
  public var csv: String {
    fields.map { $0.value?.csv ?? "" }.joined(separator: ",")
  }

  /// The names of the columns of `csv`.
  public static let csvHeader = MetricsRecord(
    .epoch, epoch: 0, iteration: 0, samples: 0, trainLoss: 0, trainAccuracy: 0, learningRate: 0,
    firingRate: 0, imagesPerSecond: 0, dataWait: 0, seconds: 0, peakRSS: 0, rss: 0,
    gradientNorm: 0
  ).fields.map(\.name).joined(separator: ",")
}

extension MetricsRecord.Value {
  fileprivate var csv: String {
    switch self {
    case .text(let text): text
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    }
  }
}
