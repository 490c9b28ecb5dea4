import TestSupport
import Testing

@testable import Benchmarking

struct BenchmarkOutputTests {
  @Test func medianIsTheMiddle() {
    #expect(median([3]) == 3)
    #expect(median([9, 1, 2]) == 2)
    #expect(median([4, 1, 3, 100]) == 3.5)
  }

  @Test func makesItsDirectory() throws {
    let directory = try TemporaryDirectory()
    try BenchmarkOutput(directory: directory.file("a/b")).write("text", to: "c.json")
    #expect(try String(contentsOfFile: directory.file("a/b/c.json"), encoding: .utf8) == "text")
  }
}
