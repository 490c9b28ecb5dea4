import Foundation

/// Where the values of a plot lie on its drawing.
struct PlotScale {
  let xMarks, yMarks: [Double]
  private let layout: LinePlot.Layout
  private let xs, ys: ClosedRange<Double>
  private let isLogarithmic: Bool

  init(_ plot: LinePlot, _ layout: LinePlot.Layout) {
    self.layout = layout
    let points = plot.series.flatMap(\.points)
    isLogarithmic = plot.hasLogarithmicX
    let (low, high) = (points.map(\.x).min() ?? 1, points.map(\.x).max() ?? 1)
    let step = Self.roundStep((points.map(\.y).max() ?? 1) / 5)
    let top = max(1, ((points.map(\.y).max() ?? 1) / step).rounded(.up))
    yMarks = (0...Int(top)).map { Double($0) * step }
    ys = 0...top * step
    if isLogarithmic {
      // Labels of more than nine doublings would touch each other.
      let factor = high / low > 500 ? 4.0 : 2
      var (marks, mark): ([Double], Double) = ([], low)
      while mark <= high * 1.001 {
        marks.append(mark)
        mark *= factor
      }
      xMarks = marks
      xs = low...max(high, low * 2)
    } else {
      let step = max(Self.roundStep(high / 6), plot.countsX && high >= 1 ? 1 : 0)
      xMarks = (0...Int((high / step).rounded(.up))).map { Double($0) * step }
      xs = 0...max(xMarks.last!, step)
    }
  }

  func x(_ value: Double) -> Double {
    let share =
      isLogarithmic
      ? (log2(value) - log2(xs.lowerBound)) / (log2(xs.upperBound) - log2(xs.lowerBound))
      : value / xs.upperBound
    return layout.left + share * (layout.right - layout.left)
  }

  func y(_ value: Double) -> Double {
    layout.bottom - value / ys.upperBound * (layout.bottom - layout.top)
  }

  /// 1, 2 or 5 times a power of ten, not below `least`.
  private static func roundStep(_ least: Double) -> Double {
    guard least > 0, least.isFinite else { return 1 }
    let power = pow(10, log10(least).rounded(.down))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= least * 0.999 } ?? 10 * power
  }
}
