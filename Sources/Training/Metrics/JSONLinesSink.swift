import SpikingNetworks
import Support

/// `metrics.jsonl`: one JSON object a line.
final class JSONLinesSink: MetricsSink {
  static let fileName = "metrics.jsonl"
  private let file: LineFile

  init(directory: String, from position: RunPosition?) throws {
    file = try LineFile(path: directory + "/" + Self.fileName) { line in
      // Lines that were cut short go.
      guard line.hasSuffix("}"),
        let match = line.firstMatch(of: #/^\{"kind": "(\w+)".*?"iteration": (\d+)/#),
        let iteration = Int(match.2)
      else { return nil }
      let kind = MetricsRecord.Kind(rawValue: String(match.1))
      return position.keeps(kind, iteration: iteration) ? line : nil
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
    if let iterationsPerEpoch {
      members.append("\"iterations_per_epoch\": \(iterationsPerEpoch)")
    }
    if !phaseSeconds.isEmpty {
      let phases = StepProfile.Phase.allCases.compactMap { phase in
        phaseSeconds[phase].map { "\"\(phase.rawValue)\": \($0)" }
      }
      members.append("\"phase_seconds\": {" + phases.joined(separator: ", ") + "}")
    }
    if let expectedMemory {
      let parts = expectedMemory.parts.map { "\"\($0.part.rawValue)\": \($0.bytes)" }
      members.append("\"expected_bytes\": {" + parts.joined(separator: ", ") + "}")
    }
    if let resources {
      members.append("\"resources\": " + String(decoding: Support.json(resources), as: UTF8.self))
    }
    if let firing { members.append("\"firing_rates\": \(firing.json)") }
    if let validationFiring {
      members.append("\"validation_firing_rates\": \(validationFiring.json)")
    }
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

extension FiringStatistics {
  /// An array with an object for each layer of neurons.
  fileprivate var json: String {
    let objects = layers.map { layer in
      let silent = layer.silentShare.map { ", \"silent\": \($0)" } ?? ""
      return "{\"layer\": \"\(layer.name)\", \"rates\": \(rates(of: layer))\(silent)}"
    }
    return "[" + objects.joined(separator: ", ") + "]"
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
