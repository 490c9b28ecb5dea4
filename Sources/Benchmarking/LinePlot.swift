import Foundation
import Support

/// A plot of lines and points, drawn as SVG.
public struct LinePlot {
  /// A place in the plot's coordinates.
  struct Point {
    let x, y: Double

    init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  /// Points that belong together.
  struct Series {
    enum Style { case line, points }

    let name: String
    let points: [Point]
    let style: Style
    /// Which of the colours it has; series of one thing share it.
    let color: Int

    init(_ name: String, _ points: [Point], _ style: Style, color: Int) {
      (self.name, self.points, self.style, self.color) = (name, points, style, color)
    }
  }

  var title: String
  var xLabel: String
  var yLabel: String
  /// Whether x doubles or quadruples from mark to mark; all x are positive then.
  var hasLogarithmicX = false
  var series: [Series]

  // Colours that colour-blind people tell apart: Okabe and Ito, 2008.
  private static let colors = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442",
  ]
  private static let (width, height) = (760.0, 420.0)
  private static let (left, right, top, bottom) = (70.0, 540.0, 40.0, 360.0)

  /// The whole file.
  public var svg: String {
    let scale = Scale(self)
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Self.width) \(Self.height)\""
        + " font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
      text(title, (Self.left + Self.right) / 2, 22, size: 15),
      text(xLabel, (Self.left + Self.right) / 2, Self.bottom + 42),
      "<g transform=\"translate(16 \((Self.top + Self.bottom) / 2)) rotate(-90)\">"
        + text(yLabel, 0, 0) + "</g>",
    ]
    for mark in scale.xMarks {
      let x = scale.x(mark)
      lines.append(line(x, Self.top, x, Self.bottom, "#e0e0e0"))
      lines.append(text(Self.label(mark), x, Self.bottom + 18))
    }
    for mark in scale.yMarks {
      let y = scale.y(mark)
      lines.append(line(Self.left, y, Self.right, y, "#e0e0e0"))
      lines.append(text(Self.label(mark), Self.left - 8, y + 4, anchor: "end"))
    }
    for (index, series) in series.enumerated() {
      let color = Self.colors[series.color % Self.colors.count]
      let places = series.points.map { (x: scale.x($0.x), y: scale.y($0.y)) }
      let legendY = Self.top + 18 * Double(index) + 8
      lines.append(
        text(series.name, Self.right + 44, legendY + 4, anchor: "start"))
      switch series.style {
      case .line:
        let path = places.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        lines.append(
          "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.5\"/>")
        lines.append(line(Self.right + 14, legendY, Self.right + 36, legendY, color))
      case .points:
        lines += places.map { circle($0.x, $0.y, color) }
        lines.append(circle(Self.right + 25, legendY, color))
      }
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }

  /// Where values lie on the page.
  private struct Scale {
    let xMarks, yMarks: [Double]
    private let xs, ys: ClosedRange<Double>
    private let isLogarithmic: Bool

    init(_ plot: LinePlot) {
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
        let step = Self.roundStep(high / 6)
        xMarks = (0...Int((high / step).rounded(.up))).map { Double($0) * step }
        xs = 0...max(xMarks.last!, step)
      }
    }

    func x(_ value: Double) -> Double {
      let share =
        isLogarithmic
        ? (log2(value) - log2(xs.lowerBound)) / (log2(xs.upperBound) - log2(xs.lowerBound))
        : value / xs.upperBound
      return LinePlot.left + share * (LinePlot.right - LinePlot.left)
    }

    func y(_ value: Double) -> Double {
      LinePlot.bottom - value / ys.upperBound * (LinePlot.bottom - LinePlot.top)
    }

    /// 1, 2 or 5 times a power of ten, not below `least`.
    private static func roundStep(_ least: Double) -> Double {
      guard least > 0, least.isFinite else { return 1 }
      let power = pow(10, log10(least).rounded(.down))
      return [1, 2, 5, 10].map { $0 * power }.first { $0 >= least * 0.999 } ?? 10 * power
    }
  }

  private static func label(_ value: Double) -> String {
    value == value.rounded() ? Format.count(Int(value)) : "\(Float(value))"
  }

  private func number(_ value: Double) -> String { Format.fixed(value, 1) }

  private func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String
  ) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\""
      + " stroke=\"\(color)\"/>"
  }

  private func circle(_ x: Double, _ y: Double, _ color: String) -> String {
    "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"4\" fill=\"\(color)\"/>"
  }

  private func text(
    _ text: String, _ x: Double, _ y: Double, anchor: String = "middle", size: Int = 12
  ) -> String {
    let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    return "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\""
      + " font-size=\"\(size)\">\(escaped)</text>"
  }
}
