import Configuration
import Support
import Training

/// Memory against the number of time steps, method by method.
public struct MemoryReport: PlottedReport {
  let network: String
  let batch: Int
  let measurements: [MemoryMeasurement]

  /// - Throws: `ConfigurationError` where the configuration has no network.
  public init(_ configuration: Configuration, _ measurements: [MemoryMeasurement]) throws {
    network = try configuration.completedForSyntheticData().networkSpecification(classes: nil)
      .summary
    batch = configuration.training.globalBatch
    self.measurements = measurements
  }

  /// For people.
  public var text: String {
    var rows = [
      ["method", "T", "peak memory", "predicted", "off by", "activations", "tape", "firing rate"]
    ]
    rows += measurements.map { measurement in
      [
        measurement.method.rawValue, "\(measurement.timesteps)",
        Format.bytes(measurement.peakBytes), Format.bytes(measurement.predictedBytes),
        (measurement.error < 0 ? "" : "+") + Format.percent(measurement.error),
        Format.bytes(measurement.activationBytes), Format.bytes(measurement.tapeBytes),
        Format.percent(measurement.firingRate),
      ]
    }
    return "\(network)\nbatch \(batch) on noise, no checkpoints\n\n" + table(rows, leftAligned: 1)
      + warning(of: measurements.map(\.firingRate))
  }

  /// Peak memory against the number of time steps: measured points, predicted lines.
  public var plot: LinePlot {
    let methods = Configuration.Method.Name.allCases.filter { name in
      measurements.contains { $0.method == name }
    }
    func points(
      _ method: Configuration.Method.Name, _ bytes: KeyPath<MemoryMeasurement, Int>
    ) -> [LinePlot.Point] {
      measurements.filter { $0.method == method }.sorted { $0.timesteps < $1.timesteps }.map {
        LinePlot.Point(Double($0.timesteps), Double($0[keyPath: bytes]) / Double(1 << 20))
      }
    }
    return LinePlot(
      title: "Memory of training, batch \(batch)", xLabel: "time steps T",
      yLabel: "peak resident memory (MiB)",
      series: methods.enumerated().flatMap { index, method in
        [
          LinePlot.Series(
            "\(method.rawValue)", points(method, \.peakBytes), .points, color: index),
          LinePlot.Series(
            "\(method.rawValue), predicted", points(method, \.predictedBytes), .line, color: index),
        ]
      })
  }
}
