import Foundation
import TestSupport
import Testing

@testable import SafeTensors

struct QuantizedTensorsTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func file(_ tensors: [SafeTensor]) throws -> SafeTensorsFile {
    let path = directory.file("tensors.safetensors")
    try SafeTensorsWriter.write(tensors, to: path)
    return try SafeTensorsFile(contentsOf: path)
  }

  @Test func weightsAreRoundedByTheLargestOfTheirChannel() throws {
    let values: [Float] = [1, -0.6, 0.004, 0, 254, -254, 3, 0, 0]
    let file = try file(
      QuantizedTensors.tensors("w", shape: [3, 3], values) + [.floats("b", shape: [1], [0.1])])
    #expect(try file.elementType(of: "w") == .int8)
    #expect(try file.integers("w", shape: [3, 3]) == [127, -76, 1, 0, 127, -127, 127, 0, 0])
    #expect(try file.floats("w.scale", shape: [3]) == [1 / 127, 2, 3 / 127])

    let tensors = try QuantizedTensors(file)
    #expect(Set(tensors.names) == ["w", "b"])
    let read = try tensors.floats("w", shape: [3, 3])
    for (index, pair) in zip(read, values).enumerated() {
      let scale: Float = [1 / 127, 2, 3 / 127][index / 3]
      #expect(abs(pair.0 - pair.1) <= scale / 2)
    }
    #expect(try tensors.floats("b") == [0.1])
  }

  @Test func aChannelOfZerosStaysSo() throws {
    let file = try file(QuantizedTensors.tensors("w", shape: [2, 2], [0, 0, 0, -2]))
    #expect(try QuantizedTensors(file).floats("w") == [0, 0, 0, -2])
  }

  @Test func scalesMustBeThereAndFit() throws {
    let numbers = SafeTensor.signedBytes("w", shape: [2, 1], [1, 2])
    for scales: [SafeTensor] in [
      [], [.floats("w.scale", shape: [1], [1])], [.floats("w.scale", shape: [2], [1, .nan])],
      [.floats("w.scale", shape: [2], [1, -1])],
    ] {
      let file = try file([numbers] + scales)
      #expect(throws: SafeTensorsError.self) { try QuantizedTensors(file) }
    }
  }

  /// The nearest number, ties to even, as Python's `numpy.float16` has it.
  @Test func halvesAreTheNearest() throws {
    let values: [Float] = [
      1, -2.5, 65504, 0x1p-24, 0x1.8p-24, 0x1p-25, -0x1.8p-25, 0x1.ff8p-15, 0x1.ffcp-15, 0x1.001p0,
      0x1.002p0, 0x1.003p0, -0.0, .leastNonzeroMagnitude,
    ]
    let file = try file([.halves("h", shape: [values.count], values)])
    #expect(try file.elementType(of: "h") == .float16)
    #expect(
      try file.floats("h") == [
        1, -2.5, 65504, 0x1p-24, 0x1p-23, 0, -0x1p-24, 0x1.ff8p-15, 0x1p-14, 1, 1, 0x1.004p0, 0, 0,
      ])
    #expect(try file.floats("h")[12].sign == .minus)
  }
}
