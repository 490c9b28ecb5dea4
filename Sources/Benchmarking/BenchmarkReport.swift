/// What a benchmark found.
public protocol BenchmarkReport: Encodable {
  /// For people.
  var text: String { get }
}

extension BenchmarkReport {
  /// For programs.
  public var json: String { benchmarkJSON(self) }
}

/// What a benchmark found, with a plot of it.
public protocol PlottedReport: BenchmarkReport {
  var plot: LinePlot { get }
}
