import Foundation
import TestSupport
import Testing

/// `Benchmarks/data/large.py` with few images.
struct LargeDataTests {
  @Test(.enabled(if: Python.has("zlib"), "no Python"))
  func measuresEveryStep() throws {
    let directory = try TemporaryDirectory()
    try expectSuccess(
      ofProgram: "Benchmarks/data/large.py",
      [
        "--output", directory.file("large"), "--classes", "3", "--images", "8", "--ranks", "1",
        "--program", ProgramRun.path(ofProduct: "sltt-dist"),
      ])
    // What each step made is removed.
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("large")) == [])
  }
}
