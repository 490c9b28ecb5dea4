/// A plot of lines and points, drawn as SVG.
public struct LinePlot {
  /// A place in the plot's coordinates.
  public struct Point: Sendable {
    public let x, y: Double

    public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  /// Points that belong together.
  public struct Series: Sendable {
    public enum Style: Sendable { case line, dashes, points }

    public let name: String
    public let points: [Point]
    public let style: Style
    /// Which of the colours it has; series of one thing share it.
    public let color: Int

    public init(_ name: String, _ points: [Point], _ style: Style, color: Int) {
      (self.name, self.points, self.style, self.color) = (name, points, style, color)
    }
  }

  /// Where the plot is to be seen.
  public struct Layout: Sendable {
    let width, height, left, right, top, bottom: Double
    /// Whether it has a legend and a white ground of its own.
    let standsAlone: Bool

    /// In a file of its own.
    public static let file = Layout(
      width: 760, height: 420, left: 70, right: 540, top: 40, bottom: 360, standsAlone: true)
    /// In a column of a page, in the page's colours; the legend is the page's.
    public static let page = Layout(
      width: 440, height: 270, left: 66, right: 428, top: 30, bottom: 224, standsAlone: false)
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  /// Whether x doubles or quadruples from mark to mark; all x are positive then.
  public var hasLogarithmicX: Bool
  /// Whether x counts something, so that only whole numbers are marked.
  public var countsX: Bool
  public var series: [Series]
  private let layout: Layout

  public init(
    title: String, xLabel: String, yLabel: String, hasLogarithmicX: Bool = false,
    countsX: Bool = false, series: [Series], layout: Layout = .file
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.hasLogarithmicX = hasLogarithmicX
    self.countsX = countsX
    self.series = series
    self.layout = layout
  }

  // Colours that colour-blind people tell apart: Okabe and Ito, 2008, whose black is the text's colour.
  private static let colors = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "currentColor", "#f0e442",
  ]

  /// The colour of a series, as CSS writes it.
  public static func color(_ index: Int) -> String { colors[index % colors.count] }

  /// The whole drawing.
  public var svg: String {
    let scale = PlotScale(self, layout)
    let (left, right, top, bottom) = (layout.left, layout.right, layout.top, layout.bottom)
    var elements =
      layout.standsAlone ? ["<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"] : []
    elements += [
      SVG.text(title, (left + right) / 2, top - 16, size: 15),
      SVG.text(xLabel, (left + right) / 2, bottom + 40),
      "<g transform=\"translate(14 \(SVG.number((top + bottom) / 2))) rotate(-90)\">"
        + SVG.text(yLabel, 0, 0) + "</g>",
    ]
    for mark in scale.xMarks {
      let x = scale.x(mark)
      elements.append(SVG.line(x, top, x, bottom, opacity: 0.15))
      elements.append(SVG.text(Self.label(mark), x, bottom + 18))
    }
    for mark in scale.yMarks {
      let y = scale.y(mark)
      elements.append(SVG.line(left, y, right, y, opacity: 0.15))
      elements.append(SVG.text(Self.label(mark), left - 8, y + 4, anchor: "end"))
    }
    for (index, series) in series.enumerated() {
      elements += drawing(of: series, scale)
      if layout.standsAlone { elements += legend(of: series, top + 18 * Double(index) + 8) }
    }
    return SVG.drawing(width: layout.width, height: layout.height, elements)
  }

  private func drawing(of series: Series, _ scale: PlotScale) -> [String] {
    let color = Self.color(series.color)
    let places = series.points.map { (x: scale.x($0.x), y: scale.y($0.y)) }
    switch series.style {
    case .line, .dashes:
      let line = SVG.polyline(places, color: color, isDashed: series.style == .dashes)
      // A line through one point is not to be seen.
      return places.count == 1
        ? [SVG.circle(places[0].x, places[0].y, color: color, radius: 2.5)] : [line]
    case .points:
      return places.map { SVG.circle($0.x, $0.y, color: color) }
    }
  }

  private func legend(of series: Series, _ y: Double) -> [String] {
    let (color, x) = (Self.color(series.color), layout.right + 14)
    return [
      SVG.text(series.name, x + 30, y + 4, anchor: "start"),
      series.style == .points
        ? SVG.circle(x + 11, y, color: color)
        : SVG.line(x, y, x + 22, y, color: color, isDashed: series.style == .dashes),
    ]
  }

  private static func label(_ value: Double) -> String {
    Int(exactly: value).map(Format.count) ?? "\(Float(value))"
  }
}
