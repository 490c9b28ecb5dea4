import Foundation
import Support
import TestSupport
import Testing

@testable import SafeTensors

struct SafeTensorsWriterTests {
  let directory: TemporaryDirectory
  let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("tensors.safetensors")
  }

  private let tensors: [SafeTensor] = [
    .floats(
      "layer1.0.conv1.weight", shape: [2, 1, 3],
      [1, -2, 0.1, .infinity, .leastNonzeroMagnitude, -0.0]),
    .floats("fc.bias \"é\\/\n", shape: [1], [3]),
    .integers("epoch", shape: [], [Int.min]),
    .floats("none", shape: [0], []),
  ]
  private let metadata = ["format": "pt", "note": "line 1\nline 2 \"quoted\""]

  @Test func readsBackWhatWasWritten() throws {
    try SafeTensorsWriter.write(tensors, metadata: metadata, to: path)
    let file = try SafeTensorsFile(contentsOf: path)
    #expect(file.metadata == metadata)
    #expect(
      file.names.filter { $0 != "none" }
        == ["epoch", "layer1.0.conv1.weight", "fc.bias \"é\\/\n"])
    let weight = try file.floats("layer1.0.conv1.weight", shape: [2, 1, 3])
    #expect(weight == [1, -2, 0.1, .infinity, .leastNonzeroMagnitude, -0.0])
    #expect(weight[5].sign == .minus)
    #expect(try file.floats("fc.bias \"é\\/\n", shape: [1]) == [3])
    #expect(try file.integers("epoch", shape: []) == [Int.min])
    #expect(try file.floats("none", shape: [0]) == [])
    #expect(try directory.contents == ["tensors.safetensors"])
  }

  @Test func writesTheSameBytesEveryTimeAndAlignsTheData() throws {
    try SafeTensorsWriter.write(tensors, metadata: metadata, to: path)
    let first = try Data(contentsOf: URL(fileURLWithPath: path))
    try SafeTensorsWriter.write(tensors, metadata: metadata, to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
    #expect((first.count - 8 - 7 * 4) % 8 == 0)
  }

  @Test func keepsTheOldFileWhereWritingFails() throws {
    struct Failure: Error {}
    func failing() throws -> [Float] { throw Failure() }
    try SafeTensorsWriter.write([.floats("x", shape: [1], [1])], to: path)
    #expect(throws: Failure.self) {
      try SafeTensorsWriter.write(
        [.floats("x", shape: [1], [2]), .floats("y", shape: [1], try failing())], to: path)
    }
    #expect(try SafeTensorsFile(contentsOf: path).floats("x") == [1])
    #expect(try directory.contents == ["tensors.safetensors"])
  }

  @Test func namesThePathAndTheReason() throws {
    let missing = directory.file("none/x.safetensors")
    #expect(throws: FileError.noDirectory(path: missing, directory.file("none"))) {
      try SafeTensorsWriter.write([], to: missing)
    }

    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    #expect(throws: FileError.unwritable(path: path, reason: "Is a directory")) {
      try SafeTensorsWriter.write([], to: path)
    }
    #expect(try directory.contents == ["tensors.safetensors"])
  }

  @Test(.enabled(if: Python.has("safetensors", "numpy"), "no Python with safetensors and numpy"))
  func pythonReadsWhatWasWritten() throws {
    try SafeTensorsWriter.write(tensors, metadata: metadata, to: path)
    let output = try Python.run(
      """
      import sys
      from safetensors import safe_open
      with safe_open(sys.argv[1], framework="numpy") as f:
        print(sorted(f.metadata().items()))
        for name in sorted(f.keys()):
          x = f.get_tensor(name)
          print(ascii(name), x.dtype, x.shape, x.tolist())
      """, path)
    #expect(
      output == #"""
        [('format', 'pt'), ('note', 'line 1\nline 2 "quoted"')]
        'epoch' int64 () -9223372036854775808
        'fc.bias "\xe9\\/\n' float32 (1,) [3.0]
        'layer1.0.conv1.weight' float32 (2, 1, 3) \#
        [[[1.0, -2.0, 0.10000000149011612]], [[inf, 1.401298464324817e-45, -0.0]]]
        'none' float32 (0,) []

        """#)
  }

  @Test(.enabled(if: Python.has("safetensors", "numpy"), "no Python with safetensors and numpy"))
  func readsWhatPythonWrote() throws {
    try Python.run(
      """
      import sys, numpy
      from safetensors.numpy import save_file
      save_file({"half": numpy.array([[0.5, -65504], [6e-8, 1]], numpy.float16),
                 "flags": numpy.array([True, False, True]),
                 "double": numpy.float64([1e300, 0.1])}, sys.argv[1], metadata={"a": "ü"})
      """, path)
    let file = try SafeTensorsFile(contentsOf: path)
    #expect(file.metadata == ["a": "ü"])
    #expect(try file.floats("half", shape: [2, 2]) == [0.5, -65504, 0x1p-24, 1])
    #expect(try file.integers("flags", shape: [3]) == [1, 0, 1])
    #expect(try file.floats("double", shape: [2]) == [.infinity, 0.1])
  }
}
