import Configuration
import Foundation
import SpikingNetworks
import Support
import Training

/// Runs of several contestants, such as learning rules, each with several seeds: what they reached, and what it
/// cost.
///
/// It knows only what the runs have written to `DIRECTORY/CONTESTANT/seed-N`, so that it includes those of
/// earlier comparisons in the same directory.
public struct Comparison: BenchmarkReport {
  /// What one run came to.
  struct Run: Encodable {
    var seed: Int
    var iterations: Int
    /// Of the last epoch's validation, 0 to 1.
    var accuracy: Double
    var bestAccuracy: Double
    /// In all, with validation.
    var seconds: Double
    /// In training, over all epochs.
    var imagesPerSecond: Double
    /// Of rank 0.
    var peakBytes: Int
    /// Spikes for each neuron and time step in the last epoch.
    var firingRate: Double
    /// Additions of a weight under a spike, for an image in the last epoch.
    var synapticOperations: Double
    /// What computed the last epoch; nil where an earlier version did not write it.
    var resources: RunResources?
  }

  /// The runs of one contestant, by their seeds.
  struct Contestant: Encodable {
    var name: String
    var runs: [Run]
    /// In what its configuration and its resources differ from those of the first contestant, but for what
    /// its name says.
    var differences: [String]
  }

  let contestants: [Contestant]
  /// Runs that are not complete, and so in no row.
  let incomplete: [String]

  /// Reads all runs.
  ///
  /// - Throws: where the directory or the configuration of a run cannot be read.
  public init(directory: String) throws {
    let manager = FileManager.default
    var first: Configuration?
    var contestants: [Contestant] = []
    var incomplete: [String] = []
    for name in try manager.contentsOfDirectory(atPath: directory).sorted() {
      let path = directory + "/" + name
      let runs = try Self.seeds(path).compactMap { seed in
        let run = try Self.history("\(path)/seed-\(seed)").flatMap { try Run($0, seed: seed) }
        if run == nil { incomplete.append("\(name), seed \(seed)") }
        return run
      }
      guard
        let configuration = try runs.first.flatMap({
          try Self.history("\(path)/seed-\($0.seed)")?.configuration
        })
      else { continue }
      contestants.append(
        Contestant(
          name: name, runs: runs,
          differences: (first.map { Self.differences(from: $0, to: configuration, name) } ?? [])
            + Self.differences(from: (contestants.first?.runs ?? runs)[0], to: runs)))
      first = first ?? configuration
    }
    self.contestants = contestants
    self.incomplete = incomplete
  }

  /// Of a contestant's runs, complete or not.
  public static func seeds(_ directory: String) -> [Int] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
      .compactMap { entry in entry.wholeMatch(of: #/seed-(\d+)/#).flatMap { Int($0.1) } }.sorted()
  }

  private static func differences(
    from first: Configuration, to other: Configuration, _ name: String
  ) -> [String] {
    let named = ["method.name", "method.k", "method.skip_trailing", "training.seed"]
    return Configuration.keys.compactMap { key in
      let (before, now) = (key.yaml(first), key.yaml(other))
      guard before != now, !named.contains(key.name), !name.contains(",\(key.name)=") else {
        return nil
      }
      return "\(key.name) \(now ?? "not set"), not \(before ?? "not set")"
    }
  }

  /// Other resources make times and memory no comparison.
  private static func differences(from first: Run, to runs: [Run]) -> [String] {
    guard let before = first.resources else { return [] }
    return Set(runs.compactMap(\.resources)).subtracting([before]).map { now in
      let seeds = runs.filter { $0.resources == now }.map { String($0.seed) }
      let part = seeds.count < runs.count ? " (seed \(seeds.joined(separator: ", ")))" : ""
      return "what computed it\(part): \(now), not \(before)"
    }.sorted()
  }

  /// What is known of a run, if there is one.
  public static func history(_ directory: String) throws -> RunHistory? {
    let path = OutputDirectory(directory, isNew: false).configuration
    return FileManager.default.fileExists(atPath: path) ? try RunHistory(run: directory) : nil
  }

  public var text: String {
    var rows = [
      [
        "", "seeds", "iterations", "accuracy", "time", "images/s", "peak memory", "firing rate",
        "SOPs/image",
      ]
    ]
    rows += contestants.map { contestant in
      let accuracies = contestant.runs.map(\.accuracy)
      return [
        contestant.name, "\(contestant.runs.count)", contestant.iterations,
        Format.percent(mean(accuracies), digits: 2)
          + (accuracies.count > 1
            ? " ± " + Format.percent(deviation(accuracies), digits: 2) : ""),
        Format.duration(contestant.mean(\.seconds)),
        Format.rate(contestant.mean(\.imagesPerSecond)),
        Format.bytes(contestant.runs.map(\.peakBytes).max()!),
        Format.percent(contestant.mean(\.firingRate)),
        Format.count(Int(contestant.mean(\.synapticOperations).rounded())),
      ]
    }
    return """
      \(table(rows, leftAligned: 1))

      Accuracy is that of the last epoch's validation, mean ± deviation over the seeds; time includes
      validation; memory is the most of any seed. A SOP is a weight added under a spike.
      """ + notes
  }

  /// What else differs between the rows, and what is in none.
  private var notes: String {
    let differences = contestants.filter { !$0.differences.isEmpty }.map {
      "\n\($0.name) also differs from "
        + ($0.name == contestants[0].name ? "its first seed" : contestants[0].name) + " in "
        + $0.differences.joined(separator: "; ")
    }
    let incomplete = incomplete.map { "\n\($0) is not complete and so not in the table" }
    return (differences + incomplete).joined()
  }

  /// Accuracy against time.
  public var timePlot: LinePlot {
    plot("seconds of the run") { $0.seconds }
  }

  /// Accuracy against peak memory.
  public var memoryPlot: LinePlot {
    plot("peak resident memory (MiB)") { Double($0.peakBytes) / Double(1 << 20) }
  }

  private func plot(_ label: String, _ x: (Run) -> Double) -> LinePlot {
    LinePlot(
      title: "Accuracy, a point a seed", xLabel: label, yLabel: "validation accuracy (%)",
      series: contestants.enumerated().map { index, contestant in
        LinePlot.Series(
          contestant.name, contestant.runs.map { .init(x($0), 100 * $0.accuracy) }, .points,
          color: index)
      })
  }
}

extension Comparison.Contestant {
  /// Of each run; where they differ, the least and the most.
  fileprivate var iterations: String {
    let counts = runs.map(\.iterations)
    let (least, most) = (counts.min()!, counts.max()!)
    return Format.count(least) + (least == most ? "" : " to " + Format.count(most))
  }

  func mean(_ value: KeyPath<Comparison.Run, Double>) -> Double {
    Support.mean(runs.map { $0[keyPath: value] })
  }
}

extension Comparison.Run {
  /// - Returns: `nil` where the run is not complete.
  fileprivate init?(_ history: RunHistory, seed: Int) throws {
    guard history.isComplete, let last = history.epochs.last, let seconds = last.seconds else {
      return nil
    }
    self.seed = seed
    iterations = last.iteration
    accuracy = last.validationAccuracy!
    bestAccuracy = history.bestAccuracy!
    self.seconds = seconds
    imagesPerSecond = history.imagesPerSecond ?? 0
    peakBytes = last.peakBytes ?? 0
    firingRate = last.firingRate ?? 0
    resources = last.resources
    synapticOperations = try history.operations(classes: 2)?.acs ?? 0
  }
}
