import TestSupport
import Testing

@testable import Datasets

struct NumpyArrayTests {
  private func values(_ bytes: [UInt8]) throws -> [Float] {
    var values: [Float] = []
    try NumpyArray(bytes).forEach(in: bytes) { _, value in values.append(value) }
    return values
  }

  @Test func elementTypes() throws {
    func array<Value>(_ descr: String, _ numbers: [Value]) -> [UInt8] {
      EventFixture.npy([numbers.count], descr, numbers.flatMap(EventFixture.bytes))
    }
    #expect(try values(array("<f8", [0, 2.5, 300] as [Double])) == [0, 2.5, 300])
    #expect(try values(array("<f4", [0, 2.5, 300] as [Float])) == [0, 2.5, 300])
    #expect(try values(array("|u1", [0, 7, 255] as [UInt8])) == [0, 7, 255])
    #expect(try values(array("<u2", [0, 7, 65535] as [UInt16])) == [0, 7, 65535])
    #expect(try values(array("<i8", [-1, 7] as [Int64])) == [-1, 7])
    #expect(try values(array("|b1", [true, false])) == [1, 0])
    #expect(try values(array("<f2", [0, 2.5, 300] as [Float16])) == [0, 2.5, 300])
  }

  @Test func bigEndianNumbers() throws {
    func array<Value>(_ descr: String, _ numbers: [Value]) -> [UInt8] {
      EventFixture.npy(
        [numbers.count], descr, numbers.flatMap { EventFixture.bytes($0).reversed() })
    }
    #expect(try values(array(">f2", [2.5, -300] as [Float16])) == [2.5, -300])
    #expect(try values(array(">f4", [2.5, -300] as [Float])) == [2.5, -300])
    #expect(try values(array(">f8", [2.5, -300] as [Double])) == [2.5, -300])
    #expect(try values(array(">i2", [-300, 7] as [Int16])) == [-300, 7])
    #expect(try values(array(">u4", [70_000, 7] as [UInt32])) == [70_000, 7])
  }

  /// An array [2, 3, 2] whose elements are their places in C's order, as Fortran stores it.
  @Test func theFirstAxisMayVaryFastest() throws {
    let stored: [UInt8] = [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]
    let array = EventFixture.npy([2, 3, 2], "|u1", stored, isColumnMajor: true)
    var values = [Float](repeating: -1, count: 12)
    try NumpyArray(array).forEach(in: array) { index, value in values[index] = value }
    #expect(values == (0..<12).map(Float.init))
  }

  @Test(arguments: [1, 2, 3])
  func versions(version: UInt8) throws {
    #expect(try values(EventFixture.npy([3], "|u1", [1, 2, 3], version: version)) == [1, 2, 3])
  }

  @Test func shapes() throws {
    let array = try NumpyArray(EventFixture.npy([2, 1, 3], "|u1", Array(0..<6)))
    #expect(array.shape == [2, 1, 3])
    #expect(try NumpyArray(EventFixture.npy([], "|u1", [4])).shape == [])
  }

  @Test(
    "What is not as NumPy writes it is an error",
    arguments: [
      "{'descr': '>f3', 'fortran_order': False, 'shape': (1,), }",
      "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }",
      "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
      "{'descr': '<f4', 'fortran_order': 1, 'shape': (1,), }",
      "{'descr': '<f4', 'fortran_order': False}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } more",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807,)}", "",
    ])
  func malformedHeaders(text: String) {
    #expect(throws: RecordingFailure.self) {
      try NumpyArray(EventFixture.npyHeader(text) + [0, 0, 128, 63])
    }
  }

  @Test func arraysOfArchives() throws {
    let directory = try TemporaryDirectory()
    let array = EventFixture.npy([2], "|u1", [1, 2])
    var bytes: [UInt8] = []
    for name in ["frames.npy", "arr_0.npy"] {
      try directory.write(EventFixture.zip(name, array), to: "a.npz")
      let found = try readFrames(ofArchive: directory.path + "/a.npz", bytes: &bytes)
      #expect(found.shape == [2])
      #expect(bytes == array)
    }
    for content in [EventFixture.zip("events.npy", array), Array("no archive".utf8), []] {
      try directory.write(content, to: "a.npz")
      #expect(throws: DatasetError.self) {
        try readFrames(ofArchive: directory.path + "/a.npz", bytes: &bytes)
      }
    }
  }

  /// What Fixtures/make_frames.py made.
  @Test func compressedArchives() throws {
    let directory = try TemporaryDirectory()
    try directory.write(Fixture.bytes("frames.npz"), to: "a.npz")
    var bytes: [UInt8] = []
    let frames = try readFrames(ofArchive: directory.path + "/a.npz", bytes: &bytes)
    var values: [Float] = []
    frames.forEach(in: bytes) { _, value in values.append(value) }
    #expect(frames.shape == [3, 2, 4, 5])
    #expect(values == (0..<120).map { Float($0 % 7) / 2 })
  }
}
