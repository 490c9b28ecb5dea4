/// Elements of drawings in SVG, which take the text's colour where no other is named.
enum SVG {
  static func number(_ value: Double) -> String { Format.fixed(value, 1) }

  /// A whole drawing, as wide as its place, with these many units.
  static func drawing(width: Double, height: Double, _ elements: [String]) -> String {
    let head =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\""
      + " font-family=\"sans-serif\" font-size=\"12\" fill=\"currentColor\">"
    return ([head] + elements + ["</svg>", ""]).joined(separator: "\n")
  }

  static func text(
    _ text: String, _ x: Double, _ y: Double, anchor: String = "middle", size: Int = 12
  ) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\""
      + " font-size=\"\(size)\">\(Markup.escaped(text))</text>"
  }

  /// - Parameter opacity: of the stroke, 0 to 1.
  static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String = "currentColor",
    opacity: Double = 1, isDashed: Bool = false
  ) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\""
      + " stroke=\"\(color)\"" + (opacity < 1 ? " stroke-opacity=\"\(opacity)\"" : "")
      + dashes(isDashed) + "/>"
  }

  static func polyline(
    _ places: [(x: Double, y: Double)], color: String, isDashed: Bool
  ) -> String {
    let points = places.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    return "<polyline points=\"\(points)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.5\""
      + dashes(isDashed) + "/>"
  }

  static func circle(_ x: Double, _ y: Double, color: String, radius: Double = 4) -> String {
    "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(radius))\" fill=\"\(color)\"/>"
  }

  private static func dashes(_ isDashed: Bool) -> String {
    isDashed ? " stroke-dasharray=\"5 4\"" : ""
  }
}
