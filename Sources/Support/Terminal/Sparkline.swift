/// A curve as high as a line of text, a character for each value; none for one that is not finite.
public func sparkline(_ values: [Double]) -> String {
  let levels = Array("▁▂▃▄▅▆▇█")
  let finite = values.filter(\.isFinite)
  guard let least = finite.min(), let greatest = finite.max() else { return "" }
  return String(
    values.map { value in
      guard value.isFinite else { return " " }
      // Of equal values none is the greatest.
      let height = greatest > least ? (value - least) / (greatest - least) : 0
      return levels[Int((height * Double(levels.count - 1)).rounded())]
    })
}
