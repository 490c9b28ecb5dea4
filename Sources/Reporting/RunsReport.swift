import Configuration
import Foundation
import Support
import Training

/// A page about one run, or about several beside each other.
public struct RunsReport {
  /// A run, and what was found of its best checkpoint.
  public struct Entry {
    /// As the page calls it; no other is called so.
    let name: String
    let history: RunHistory
    let validation: Validation

    var findings: Findings? { if case .found(let findings) = validation { findings } else { nil } }
  }

  /// What the best checkpoint of a run does on the validation split.
  public enum Validation {
    case found(Findings)
    /// Nobody wanted to know.
    case leftOut
    case impossible(any Error)
  }

  let entries: [Entry]
  private let energy: OperationEnergy

  /// - Parameters:
  ///   - runs: histories, with the validation of each run's best checkpoint.
  ///   - energy: of operations.
  public init(
    _ runs: [(history: RunHistory, validation: Validation)],
    energy: OperationEnergy = OperationEnergy()
  ) {
    self.energy = energy
    let names = Self.names(runs.map(\.history.path))
    entries = zip(names, runs).map {
      Entry(name: $0, history: $1.history, validation: $1.validation)
    }
  }

  /// The last components of the paths, as many as tell them apart.
  static func names(_ paths: [String]) -> [String] {
    let parts = paths.map {
      URL(fileURLWithPath: $0).standardizedFileURL.pathComponents.filter { $0 != "/" }
    }
    let longest = parts.map(\.count).max() ?? 0
    for count in 1...max(1, longest) {
      let names = parts.map { $0.suffix(count).joined(separator: "/") }
      if Set(names).count == names.count || count >= longest { return names }
    }
    return paths
  }

  /// Whether any run tells what its operations cost.
  public var showsEnergy: Bool { !EnergySection(entries, energy).isEmpty }

  public var html: String {
    let title =
      entries.count == 1 ? "Run \(entries[0].name)" : "\(entries.count) runs beside each other"
    let sections = [
      overview, CurvesSection(entries).html, FiringSection(entries).html,
      EvaluationSection(entries).html, EnergySection(entries, energy).html,
      CostSection(entries).html, ConfigurationSection(entries).html,
    ]
    return HTMLPage(title: title, sections: sections.filter { !$0.isEmpty }).html
  }

  /// A row for each run.
  private var overview: String {
    func text(_ value: Double?, _ format: (Double) -> String) -> String {
      value.map(format) ?? "–"
    }
    let header = [
      "run", "network", "method", "T", "epochs", "best accuracy", "last accuracy", "training loss",
      "images/s", "time", "peak memory", "firing rate",
    ]
    let rows = entries.map { entry in
      let (history, last) = (entry.history, entry.history.epochs.last)
      let configuration = history.configuration
      return [
        entry.name, configuration.model.name, configuration.method.name.rawValue,
        "\(configuration.method.timesteps)",
        "\(history.epochsDone)/\(configuration.training.epochs)",
        text(history.bestAccuracy) { Format.percent($0, digits: 2) },
        text(last?.validationAccuracy) { Format.percent($0, digits: 2) },
        text(last?.trainLoss) { Format.fixed($0, 4) }, text(history.imagesPerSecond, Format.rate),
        text(last?.seconds, Format.duration),
        text(last?.peakBytes.map(Double.init)) {
          Format.bytes(Int($0))
        }, text(last?.firingRate) { Format.percent($0) },
      ]
    }
    return HTML.table([header] + rows)
  }
}

extension Configuration.Model {
  /// What the network is called in a table.
  var name: String {
    guard layers == nil else { return "layers of its own" }
    let kind =
      architecture?.rawValue ?? "\(family?.rawValue ?? "network") \(blocks ?? [])"
    return kind + (width.map { ", width \($0)" } ?? "")
  }
}
