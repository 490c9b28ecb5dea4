import TestSupport
import Testing

@testable import Support

struct LinePlotTests {
  private func plot(_ points: [LinePlot.Point], isLogarithmic: Bool = false) -> LinePlot {
    LinePlot(
      title: "a < b & c", xLabel: "x", yLabel: "y", hasLogarithmicX: isLogarithmic,
      series: [
        .init("measured", points, .points, color: 0), .init("model", points, .line, color: 0),
      ])
  }

  @Test func isWellFormed() throws {
    let elements = try #require(
      XMLElements(plot([.init(1, 5), .init(2, 7), .init(6, 40)]).svg))
    #expect(elements.attributes["svg"]?.count == 1)
    // One for each point, and one in the legend.
    #expect(elements.attributes["circle"]?.count == 4)
    let line = try #require(elements.attributes["polyline"]?.first?["points"])
    #expect(line.split(separator: " ").count == 3)
    #expect(elements.text.contains("a < b & c") && elements.text.contains("measured"))
  }

  @Test func higherValuesLieHigherAndDoublingsAreEquallyFar() throws {
    let points = [LinePlot.Point(1, 10), .init(2, 20), .init(4, 30), .init(8, 40)]
    let elements = try #require(XMLElements(plot(points, isLogarithmic: true).svg))
    let circles = try #require(elements.attributes["circle"]).prefix(4)
    let (xs, ys) = (
      circles.compactMap { Double($0["cx"]!) }, circles.compactMap { Double($0["cy"]!) }
    )
    #expect(zip(ys, ys.dropFirst()).allSatisfy { $0 > $1 })
    let steps = zip(xs, xs.dropFirst()).map { $1 - $0 }
    #expect(steps.allSatisfy { $0 > 0 && abs($0 - steps[0]) < 0.2 })
  }

  @Test(arguments: [
    [], [LinePlot.Point(1, 0)], [.init(3, 1e9)], [.init(1, 5e19)], [.init(1, 1e-6)],
  ])
  func drawsWhateverIsMeasured(_ points: [LinePlot.Point]) {
    for isLogarithmic in [false, true] {
      let svg = plot(points, isLogarithmic: isLogarithmic).svg
      #expect(XMLElements(svg) != nil)
      #expect(!svg.contains("nan") && !svg.contains("inf"))
    }
  }
}
