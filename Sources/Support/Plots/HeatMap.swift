/// A table of numbers drawn as SVG, each cell as dark as its value is great; a pointer shows the numbers.
public struct HeatMap {
  public var rows: [String]
  public var columns: [String]
  /// [rows][columns]; nil where there is none.
  public var values: [[Double?]]
  /// What has the full colour.
  public var most: Double
  /// Whether cells are as high as they are wide, as suits the same things in rows and columns.
  public var hasSquareCells: Bool
  /// A value as the pointer shows it.
  public var format: (Double) -> String

  public init(
    rows: [String], columns: [String], values: [[Double?]], most: Double,
    hasSquareCells: Bool = false, format: @escaping (Double) -> String
  ) {
    precondition(values.count == rows.count && values.allSatisfy { $0.count == columns.count })
    self.rows = rows
    self.columns = columns
    self.values = values
    self.most = most
    self.hasSquareCells = hasSquareCells
    self.format = format
  }

  // Of the drawing, which is as wide as its place.
  private static let (width, letter, widestCell) = (440.0, 6.2, 34.0)
  /// Cells less high than that have no room for the row's name.
  private static let leastNamedHeight = 11.0

  /// The whole drawing.
  public var svg: String {
    let left = min(180, 12 + Self.letter * Double(rows.map(\.count).max() ?? 0))
    let cell = min(Self.widestCell, (Self.width - left) / Double(max(1, columns.count)))
    let height = hasSquareCells ? cell : max(min(cell, 20), 14)
    let top = 20.0
    // Every so many columns have a name, so that the names do not touch each other.
    let nameWidth = Self.letter * Double(columns.map(\.count).max() ?? 0) + 6
    let named = max(1, Int((nameWidth / cell).rounded(.up)))
    var elements: [String] = []
    for (index, name) in columns.enumerated() where index % named == 0 {
      elements.append(SVG.text(name, left + (Double(index) + 0.5) * cell, top - 6, size: 11))
    }
    for (row, name) in rows.enumerated() {
      let y = top + Double(row) * height
      if height >= Self.leastNamedHeight {
        elements.append(SVG.text(name, left - 6, y + height / 2 + 4, anchor: "end", size: 11))
      }
      for (column, value) in values[row].enumerated() {
        guard let value else { continue }
        let share = most > 0 ? min(1, max(0, value / most)) : 0
        elements.append(
          "<rect x=\"\(SVG.number(left + Double(column) * cell))\" y=\"\(SVG.number(y))\""
            + " width=\"\(SVG.number(cell))\" height=\"\(SVG.number(height))\""
            + " fill=\"\(LinePlot.color(1))\" fill-opacity=\"\(Format.fixed(0.04 + 0.96 * share, 3))\">"
            + "<title>"
            + Markup.escaped("\(name), \(columns[column]): \(format(value))") + "</title></rect>")
      }
    }
    return SVG.drawing(
      width: Self.width, height: top + height * Double(rows.count) + 6, elements)
  }
}
