import Support
import TestSupport
import Testing

@testable import Benchmarking

struct BenchmarkOutputTests {
  @Test func makesItsDirectory() throws {
    let directory = try TemporaryDirectory()
    try BenchmarkOutput(directory: directory.file("a/b"), replacing: [:])
      .write("text", to: "c.json")
    #expect(try String(contentsOfFile: directory.file("a/b/c.json"), encoding: .utf8) == "text")
  }

  @Test func replacesNothingButWhatItMakes() throws {
    let directory = try TemporaryDirectory()
    func write(_ text: String) throws {
      try BenchmarkOutput(directory: directory.path, replacing: ["step.json": .figures])
        .write(text, to: "step.json")
    }
    try write(indentedJSON(["rows": [1]]))
    try write(indentedJSON(["rows": [2]]))
    for text in ["mine\n", "[{}]", "{\"mine\": 1}"] {
      try directory.write(text, to: "step.json")
      #expect(throws: FileError.self) { try write("") }
      #expect(try String(contentsOfFile: directory.file("step.json"), encoding: .utf8) == text)
    }
  }
}
