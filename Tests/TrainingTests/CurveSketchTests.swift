import Testing

@testable import Training

struct CurveSketchTests {
  @Test func pointsAreMeansOfAsManyValues() {
    var sketch = CurveSketch(mostPoints: 4)
    #expect(sketch.points == [])
    var courses: [[Double]] = []
    for value in 1...10 {
      sketch.add(Double(value))
      courses.append(sketch.points)
    }
    #expect(courses[3] == [1, 2, 3, 4])
    #expect(courses[4] == [1.5, 3.5, 5])
    #expect(courses[7] == [1.5, 3.5, 5.5, 7.5])
    #expect(courses[9] == [2.5, 6.5, 9.5])
  }
}
