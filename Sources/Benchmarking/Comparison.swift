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
  }

  /// The runs of one contestant, by their seeds.
  struct Contestant: Encodable {
    var name: String
    var runs: [Run]
    /// In what its configuration differs from that of the first contestant, but for what its name says.
    var differences: [String]
  }

  let contestants: [Contestant]

  /// Reads all complete runs.
  ///
  /// - Throws: where the directory or the configuration of a run cannot be read.
  public init(directory: String) throws {
    let manager = FileManager.default
    var first: Configuration?
    var contestants: [Contestant] = []
    for name in try manager.contentsOfDirectory(atPath: directory).sorted() {
      let path = directory + "/" + name
      let runs = try ((try? manager.contentsOfDirectory(atPath: path)) ?? [])
        .compactMap { entry in entry.wholeMatch(of: #/seed-(\d+)/#).flatMap { Int($0.1) } }
        .sorted().compactMap { try Run(directory: "\(path)/seed-\($0)", seed: $0) }
      guard !runs.isEmpty else { continue }
      let configuration = try Run.configuration("\(path)/seed-\(runs[0].seed)")
      contestants.append(
        Contestant(
          name: name, runs: runs,
          differences: first.map { Self.differences(from: $0, to: configuration, name) } ?? []))
      first = first ?? configuration
    }
    self.contestants = contestants
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

  /// The configuration of a run, if there is one.
  public static func configuration(ofRun directory: String) throws -> Configuration? {
    let path = OutputDirectory(directory, isNew: false).configuration
    return FileManager.default.fileExists(atPath: path) ? try Run.configuration(directory) : nil
  }

  public static func isComplete(run directory: String) throws -> Bool {
    try Run(directory: directory, seed: 0) != nil
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

  /// What else differs between the rows.
  private var notes: String {
    contestants.filter { !$0.differences.isEmpty }.map {
      "\n\($0.name) also differs from \(contestants[0].name) in "
        + $0.differences.joined(separator: "; ")
    }.joined()
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
  /// What `metrics.jsonl` says of an epoch.
  private struct Epoch: Decodable {
    struct Convolution: Decodable { var input_density: Double? }

    var kind: String
    var epoch, iteration: Int
    var validation_accuracy, images_per_second, firing_rate: Double?
    var seconds: Double?
    var peak_rss_bytes: Int?
    var convolutions: [String: Convolution]?
    var input_rates: [String: Double]?
  }

  fileprivate static func configuration(_ directory: String) throws -> Configuration {
    var configuration = Configuration()
    try configuration.apply(file: OutputDirectory(directory, isNew: false).configuration)
    return configuration
  }

  /// - Returns: `nil` where no complete run is.
  fileprivate init?(directory: String, seed: Int) throws {
    let path = directory + "/metrics.jsonl"
    guard let content = FileManager.default.contents(atPath: path) else { return nil }
    let decoder = JSONDecoder()
    let lines = content.split(separator: UInt8(ascii: "\n"))
    let epochs = lines.compactMap { try? decoder.decode(Epoch.self, from: $0) }
      .filter { $0.kind == "epoch" }
    let configuration = try Self.configuration(directory)
    let training = configuration.training
    guard let last = epochs.last,
      last.epoch == training.epochs || last.iteration == training.maxIterations,
      let accuracy = last.validation_accuracy, let seconds = last.seconds
    else { return nil }
    let rates = epochs.compactMap(\.images_per_second).filter { $0 > 0 }
    self.seed = seed
    iterations = last.iteration
    self.accuracy = accuracy
    bestAccuracy = epochs.compactMap(\.validation_accuracy).max()!
    self.seconds = seconds
    // Each epoch has as many images.
    imagesPerSecond = rates.isEmpty ? 0 : Double(rates.count) / rates.reduce(0) { $0 + 1 / $1 }
    peakBytes = last.peak_rss_bytes ?? 0
    firingRate = last.firing_rate ?? 0
    // Whatever the classes, of which the last layer alone knows.
    let network = try NetworkPlan(
      configuration.networkSpecification(classes: configuration.model.classes ?? 2))
    let densities = (last.convolutions ?? [:]).compactMapValues(\.input_density)
    synapticOperations =
      NetworkOperations(
        network, timesteps: configuration.method.timesteps,
        isStatic: configuration.framesOfASample == 1,
        rates: last.input_rates ?? network.inputRates(at: densities)
      ).acs
  }
}
