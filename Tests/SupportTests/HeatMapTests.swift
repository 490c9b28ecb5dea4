import Foundation
import TestSupport
import Testing

@testable import Support

struct HeatMapTests {
  private func map(_ values: [[Double?]], most: Double = 1) -> HeatMap {
    HeatMap(
      rows: values.indices.map { "<row \($0)>" },
      columns: (values.first ?? []).indices.map { "\($0 + 1)" }, values: values, most: most
    ) { Format.percent($0) }
  }

  @Test func cellsAreAsDarkAsTheirValuesAreGreat() throws {
    let elements = try #require(XMLElements(map([[0, 0.5], [1, nil]]).svg))
    let cells = try #require(elements.attributes["rect"])
    // What was not measured has no cell.
    #expect(cells.compactMap { Double($0["fill-opacity"]!) } == [0.04, 0.52, 1])
    #expect(elements.text.contains("<row 0>, 2: 50.0 %"))
  }

  @Test(arguments: [
    [], [[]], [[nil]], [[0.0]], [[Double.infinity, -1, 2]],
    [[Double?]](repeating: [Double?](repeating: 0.1, count: 200), count: 50),
  ])
  func drawsWhateverIsMeasured(_ values: [[Double?]]) {
    for most in [0, 1.0] {
      let svg = map(values, most: most).svg
      #expect(XMLElements(svg) != nil)
      #expect(!svg.contains("nan"))
    }
  }
}
