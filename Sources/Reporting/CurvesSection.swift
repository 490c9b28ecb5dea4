import Support
import Training

/// How the runs went, epoch by epoch.
struct CurvesSection {
  private let entries: [RunsReport.Entry]
  /// More points than a screen shows would only make the page large.
  private static let mostPoints = 300

  init(_ entries: [RunsReport.Entry]) { self.entries = entries }

  var html: String {
    let plots = [
      plot("Loss", "loss", [(\.trainLoss, true, true), (\.validationLoss, false, false)]),
      plot(
        "Accuracy", "accuracy (%)",
        [(\.trainAccuracy, true, true), (\.validationAccuracy, false, false)], times: 100),
      plot(
        "Firing rate", "spikes a neuron and step (%)", [(\.firingRate, false, true)], times: 100),
      plot("Learning rate", "learning rate", [(\.learningRate, false, true)]),
      plot("Gradient norm", "norm", [(\.gradientNorm, false, true)]),
      plot("Speed", "images/s", [(\.imagesPerSecond, false, true)]),
    ].compactMap { $0 }
    guard !plots.isEmpty else { return "" }
    return HTML.section("Curves", legend + HTML.cards(plots.map(\.svg)))
  }

  private var legend: String {
    let runs = entries.enumerated().map { index, entry in
      (name: entries.count > 1 ? entry.name : "validation", color: index, isDashed: false)
    }
    let training = (
      name: entries.count > 1 ? "dashed: training" : "training", color: entries.count > 1 ? 6 : 0,
      isDashed: true
    )
    return HTML.legend(runs + [training])
  }

  private typealias Value = KeyPath<RunHistory.Record, Double?>

  /// - Parameter values: each with whether its line is dashed, and whether intervals have it, too.
  /// - Returns: nil where no run has measured any.
  private func plot(
    _ title: String, _ label: String,
    _ values: [(value: Value, isDashed: Bool, isOfIntervals: Bool)], times factor: Double = 1
  ) -> LinePlot? {
    let series = entries.enumerated().flatMap { index, entry in
      values.map { value, isDashed, isOfIntervals in
        LinePlot.Series(
          entry.name,
          points(entry.history, value, isOfIntervals: isOfIntervals).map {
            LinePlot.Point($0.x, factor * $0.y)
          }, isDashed ? .dashes : .line, color: index)
      }
    }.filter { !$0.points.isEmpty }
    guard !series.isEmpty else { return nil }
    return LinePlot(
      title: title, xLabel: "epoch", yLabel: label, countsX: true, series: series, layout: .page)
  }

  /// A point an epoch, or, of runs of few epochs, one an interval.
  private func points(
    _ history: RunHistory, _ value: Value, isOfIntervals: Bool
  ) -> [LinePlot.Point] {
    let epochs = history.epochs
    let usesIntervals = isOfIntervals && epochs.count < 20 && history.intervals.count > 1
    let points = (usesIntervals ? history.intervals : epochs).compactMap { record in
      record[keyPath: value].map {
        LinePlot.Point(Double(record.iteration) / history.iterationsPerEpoch, $0)
      }
    }
    return Self.thinned(points.filter { $0.y.isFinite })
  }

  /// Neighbours averaged, where there are too many.
  static func thinned(_ points: [LinePlot.Point]) -> [LinePlot.Point] {
    let (xs, ys) = (
      points.map(\.x).thinned(to: mostPoints), points.map(\.y).thinned(to: mostPoints)
    )
    return zip(xs, ys).map { LinePlot.Point($0, $1) }
  }
}
