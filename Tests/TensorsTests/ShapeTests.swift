import Testing

@testable import Tensors

struct ShapeTests {
  @Test func countsElements() {
    let shape = Shape(n: 2, h: 3, w: 5, c: 7)
    #expect(shape.pixels == 30 && shape.count == 210)
    #expect(shape.withSamples(4) == Shape(n: 4, h: 3, w: 5, c: 7))
    #expect(shape.description == "2x3x5x7")
    #expect(Shape(n: 2, c: 7) == Shape(n: 2, h: 1, w: 1, c: 7))
  }

  /// (extent, kernel, stride, padding, positions)
  @Test(arguments: [
    [5, 3, 1, 0, 3], [5, 3, 1, 1, 5], [5, 3, 2, 1, 3], [6, 3, 2, 1, 3], [224, 7, 2, 3, 112],
    [1, 1, 1, 0, 1], [1, 3, 2, 1, 1], [7, 4, 4, 0, 1], [3, 3, 2, 0, 1], [2, 3, 1, 0, 0],
    // A window that does not fit has no position, however large its stride.
    [2, 3, 2, 0, 0], [3, 4, 4, 0, 0], [1, 2, 2, 0, 0], [1, 7, 2, 1, 0],
  ])
  func windowsHaveTheirPositions(_ numbers: [Int]) {
    let window = SlidingWindow(kernel: numbers[1], stride: numbers[2], padding: numbers[3])
    #expect(window.positions(along: numbers[0]) == numbers[4])
  }

  @Test func windowsCoverPixelsInsideTheImageOnly() {
    let window = SlidingWindow(kernel: 3, stride: 2, padding: 1)
    #expect((0..<3).map { window.covered(by: $0, along: 5) } == [0..<2, 1..<4, 3..<5])
    // Wholly in the padding.
    #expect(SlidingWindow(kernel: 1, padding: 2).covered(by: 0, along: 3).isEmpty)
    #expect(SlidingWindow(kernel: 1, padding: 2).covered(by: 6, along: 3).isEmpty)
  }
}
