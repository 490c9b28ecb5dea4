extension Configuration {
  /// What is told of a run besides its progress.
  public struct Metrics: Sendable {
    /// 0: never.
    public var histogramsEvery = 5
  }
}

extension Configuration.Metrics {
  static let keys: [ConfigurationKey] = [
    .init(
      "metrics.histograms_every", \.metrics.histogramsEvery, limit: .countOrNone,
      "Epochs between two histograms of weights, gradients and potentials; 0: none.")
  ]
}
