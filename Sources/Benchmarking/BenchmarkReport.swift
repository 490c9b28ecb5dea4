import Support

/// What a benchmark found.
public protocol BenchmarkReport: Encodable {
  /// For people.
  var text: String { get }
}

extension BenchmarkReport {
  /// For programs.
  public var json: String { indentedJSON(self) }

  /// A paragraph for people where neurons fire too rarely for the measurements to tell of training; else
  /// empty.
  ///
  /// - Parameter firingRates: of the measurements that have one.
  func warning(of firingRates: [Double]) -> String {
    let enough = 0.02
    guard let least = firingRates.min(), least < enough else { return "" }
    return """


      warning: the firing rate is \(Format.percent(least)), less than \(Format.percent(enough, digits: 0)). \
      Kernels for spikes have hardly
      anything to do, so this says little about training, in which more neurons fire.
      """
  }
}

/// What a benchmark found, with a plot of it.
public protocol PlottedReport: BenchmarkReport {
  var plot: LinePlot { get }
}
