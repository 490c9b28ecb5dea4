/// `metrics.jsonl`: one JSON object a line.
final class JSONLinesSink: MetricsSink {
  private let file: LineFile

  init(directory: String, from position: RunPosition?) throws {
    file = try LineFile(path: directory + "/metrics.jsonl") { line in
      // Lines that were cut short go.
      guard line.hasSuffix("}"),
        let match = line.firstMatch(of: #/^\{"kind": "(\w+)".*?"iteration": (\d+)/#),
        let iteration = Int(match.2)
      else { return false }
      return position.keeps(MetricsRecord.Kind(rawValue: String(match.1)), iteration: iteration)
    }
  }

  func append(_ record: MetricsRecord) throws { try file.append(record.json) }

  func removeLast() throws { try file.removeLast() }
}

extension MetricsRecord {
  /// One JSON object without a line break; null is what was not measured. An interval has no validation.
  public var json: String {
    var members = fields.filter { kind == .epoch || !$0.name.hasPrefix("validation_") }
      .map { name, value in "\"\(name)\": \(value?.json ?? "null")" }
    if !kernels.isEmpty {
      let layers = kernels.map { "\"\($0.layer)\": \($0.json)" }
      members.append("\"convolutions\": {" + layers.joined(separator: ", ") + "}")
    }
    if !inputRates.isEmpty {
      let layers = inputRates.map { "\"\($0.layer)\": \($0.rate)" }
      members.append("\"input_rates\": {" + layers.joined(separator: ", ") + "}")
    }
    return "{" + members.joined(separator: ", ") + "}"
  }
}

extension MetricsRecord.Value {
  fileprivate var json: String {
    switch self {
    case .text(let text): "\"\(text)\""
    case .integer(let number): "\(number)"
    // JSON has no NaN and no infinity.
    case .number(let number): number.isFinite ? "\(number)" : "null"
    }
  }
}
