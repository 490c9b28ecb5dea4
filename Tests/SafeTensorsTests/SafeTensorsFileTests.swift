import Foundation
import TestSupport
import Testing

@testable import SafeTensors

struct SafeTensorsFileTests {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func open(_ bytes: Data) throws -> SafeTensorsFile {
    let path = directory.file("file.safetensors")
    try bytes.write(to: URL(fileURLWithPath: path))
    return try SafeTensorsFile(contentsOf: path)
  }

  @Test func readsEveryFloatingPointType() throws {
    // The values 1, -2.5 and 0.15625 are exact in each type.
    let cases: [(String, [UInt8])] = [
      ("F64", [1, -2.5, 0.15625].flatMap { bytes(of: ($0 as Double).bitPattern) }),
      ("F32", [1, -2.5, 0.15625].flatMap { bytes(of: ($0 as Float).bitPattern) }),
      ("F16", [0x3C00, 0xC100, 0x3100].flatMap { bytes(of: $0 as UInt16) }),
      ("BF16", [0x3F80, 0xC020, 0x3E20].flatMap { bytes(of: $0 as UInt16) }),
    ]
    for (type, data) in cases {
      let file = try open(
        fileBytes(
          header: #"{"x":{"dtype":"\#(type)","shape":[3],"data_offsets":[0,\#(data.count)]}}"#,
          data: data))
      #expect(try file.floats("x", shape: [3]) == [1, -2.5, 0.15625], "\(type)")
      #expect(try file.elementType(of: "x").rawValue == type)
      #expect(throws: SafeTensorsError.self) { try file.integers("x") }
    }
  }

  @Test func readsEveryIntegerType() throws {
    let cases: [(String, [UInt8], [Int])] = [
      ("BOOL", [0, 1], [0, 1]),
      ("U8", [7, 255], [7, 255]),
      ("I8", [7, 255], [7, -1]),
      ("U16", [1, 0, 0xFF, 0xFF], [1, 65535]),
      ("I16", [1, 0, 0xFF, 0xFF], [1, -1]),
      ("U32", bytes(of: UInt32.max) + bytes(of: UInt32(3)), [Int(UInt32.max), 3]),
      ("I32", bytes(of: Int32.min) + bytes(of: Int32(3)), [Int(Int32.min), 3]),
      ("U64", bytes(of: UInt64(5)) + bytes(of: UInt64(Int.max)), [5, Int.max]),
      ("I64", bytes(of: Int.min) + bytes(of: 9), [Int.min, 9]),
    ]
    for (type, data, expected) in cases {
      let file = try open(
        fileBytes(
          header: #"{"x":{"dtype":"\#(type)","shape":[2],"data_offsets":[0,\#(data.count)]}}"#,
          data: data))
      #expect(try file.integers("x", shape: [2]) == expected, "\(type)")
      #expect(throws: SafeTensorsError.self) { try file.floats("x") }
    }
  }

  @Test func listsTensorsInTheOrderOfTheirData() throws {
    let file = try open(
      fileBytes(
        header: """
          {"a":{"dtype":"U8","shape":[1,2],"data_offsets":[1,3]},"__metadata__":{"k":"v"},\
          "z":{"dtype":"U8","shape":[],"data_offsets":[0,1]},\
          "empty":{"dtype":"F32","shape":[0,3],"data_offsets":[3,3]}}
          """, data: [5, 6, 7]))
    #expect(file.names == ["z", "a", "empty"])
    #expect(file.metadata == ["k": "v"])
    #expect(try file.shape(of: "z") == [])
    #expect(try file.integers("z") == [5])
    #expect(try file.integers("a", shape: [1, 2]) == [6, 7])
    #expect(try file.floats("empty", shape: [0, 3]) == [])
  }

  @Test func saysWhatTheCallerGotWrong() throws {
    let file = try open(
      fileBytes(
        header: #"{"x":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}}"#, data: [1, 2]))
    #expect(message { _ = try file.floats("y") } == "\(file.path): no tensor 'y'; it has 'x'")
    #expect(
      message { _ = try file.integers("x", shape: [1, 2]) }
        == "\(file.path): tensor 'x' has shape [2], expected [1, 2]")
    #expect(
      message { _ = try file.floats("x") }
        == "\(file.path): tensor 'x' holds I8, which cannot be read as floating-point numbers")
  }

  @Test(arguments: [
    (#"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,3]}}"#, "shape [2] of U8, 2 bytes, but 3"),
    (#"{"x":{"dtype":"Q3","shape":[3],"data_offsets":[0,3]}}"#, "unknown element type 'Q3'"),
    (#"{"x":{"dtype":"U8","shape":[-3],"data_offsets":[0,3]}}"#, "impossible shape"),
    (
      #"{"x":{"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}"#,
      "impossible shape"
    ),
    (#"{"x":{"dtype":"U8","shape":[3],"data_offsets":[3,0]}}"#, "impossible data offsets"),
    (#"{"x":{"dtype":"U8","shape":[3],"data_offsets":[0]}}"#, "impossible data offsets"),
    (#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, "the file has only"),
    (#"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, "1 bytes follow the last tensor"),
    (#"{"x":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, "leaves a gap after the header"),
    (
      """
      {"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},\
      "y":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}
      """, "tensor 'y' overlaps tensor 'x'"
    ),
    (
      #"{"x":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,3]}}"#,
      "impossible shape"
    ),
    (#"{"x":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,3]}}"#, "impossible"),
    (#"{"x":{"dtype":"U8","shape":[3]}}"#, "header: 'x'"),
    (#"{"x":{"dtype":"U8","shape":["3"],"data_offsets":[0,3]}}"#, "header: 'x.shape"),
    (
      """
      {"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},\
      "x":{"dtype":"I8","shape":[3],"data_offsets":[0,3]}}
      """, "header: the key 'x' comes twice"
    ),
    (
      #"{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3],"dtype":"I8"}}"#,
      "header: the key 'dtype' comes twice"
    ),
    (
      """
      {"__metadata__":{"a":"1","\\u0061":"2"},"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}
      """, "header: the key 'a' comes twice"
    ),
    (#"{"x":3}"#, "header"),
    (#"{"x":"#, "header"),
    (#"[]"#, "header"),
  ])
  func rejectsDamagedHeaders(header: String, reason: String) {
    let problem = message { _ = try open(fileBytes(header: header, data: [1, 2, 3])) }
    #expect(problem.contains("file.safetensors: not a valid safetensors file: "))
    #expect(problem.contains(reason), "\(problem)")
  }

  @Test func rejectsHeadersOfOtherEncodings() throws {
    let header = #"{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#
    let inUTF16 = header.utf8.map { String(decoding: [$0, 0], as: UTF8.self) }.joined()
    #expect(
      message { _ = try open(fileBytes(header: inUTF16)) }.contains("header: it is not UTF-8 text"))
  }

  @Test func saysWhichElementIsNoUsableNumber() throws {
    func check(_ values: [Float], atLeast minimum: Float? = nil) -> String {
      message {
        let file = try open(
          fileBytes(
            header: #"{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#,
            data: values.flatMap { bytes(of: $0.bitPattern) }))
        try file.checkFinite("x", shape: [3], atLeast: minimum)
      }
    }
    #expect(check([1, -2, 0]).hasPrefix("no error"))
    #expect(check([1, 2, 0], atLeast: 0).hasPrefix("no error"))
    #expect(
      check([1, -2, .nan]).hasSuffix("'x' holds nan (element 2 from 0), expected finite numbers"))
    #expect(check([1, -.infinity, 0]).contains("holds -inf (element 1 from 0)"))
    #expect(check([1, -2, 0], atLeast: 0).hasSuffix("expected finite numbers of at least 0.0"))
    let file = try open(
      fileBytes(
        header: #"{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#,
        data: bytes(of: 1e300.bitPattern)))
    #expect(message { try file.checkFinite("x", shape: [1]) }.contains("holds inf"))
  }

  @Test func rejectsFilesOfOtherKinds() throws {
    #expect(message { _ = try open(Data()) }.contains("only 0 bytes"))
    #expect(message { _ = try open(Data("hello, world".utf8)) }.contains("claims a header of"))
    #expect(
      message { _ = try open(Data([100, 0, 0, 0, 0, 0, 0, 0, 1])) }.contains("ends at byte 108"))
    #expect(
      message { _ = try SafeTensorsFile(contentsOf: directory.file("none")) }
        == "\(directory.file("none")): there is no such file or directory. Check the path.")
    #expect(
      message { _ = try SafeTensorsFile(contentsOf: directory.path) }.contains("it is a directory"))
  }

  @Test func readsTheFixtures() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: ReferenceCase.directory.path)
      .filter { $0.hasSuffix(".safetensors") }
    #expect(files.count == 43)
    for name in files {
      let file = try SafeTensorsFile(
        contentsOf: ReferenceCase.directory.appendingPathComponent(name).path)
      #expect(file.metadata["config"]?.contains("timesteps") == true)
      let logits = try file.shape(of: "logits")
      let batch = try file.integers("labels").count
      #expect(logits.count == 3 && logits[1] == batch, "\(name)")
      #expect(try file.floats("logits", shape: logits).allSatisfy(\.isFinite))
      #expect(try file.floats("loss", shape: [])[0] > 0)
      let parameters = file.names.filter { $0.hasPrefix("param.") }
      #expect(!parameters.isEmpty)
      for parameter in parameters {
        let shape = try file.shape(of: parameter)
        let gradient = "grad." + parameter.dropFirst("param.".count)
        #expect(try file.floats(parameter).contains { $0 != 0 }, "\(name) \(parameter)")
        #expect(try file.shape(of: gradient) == shape, "\(name) \(gradient)")
      }
    }
  }

  /// Whatever happens to a file, it opens with the data it had, or not at all.
  @Test func survivesDamage() throws {
    let path = directory.file("original")
    try SafeTensorsWriter.write(
      [
        .floats("weight", shape: [2, 3], [1, 2, 3, 4, 5, 6]),
        .integers("epoch", shape: [], [12]), .floats("bias", shape: [3], [7, 8, 9]),
      ], metadata: ["model": "resnet"], to: path)
    let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let headerEnd = original.count - 8 - 9 * 4
    var random = SeededGenerator(seed: 2302_14311)
    var opened = 0
    for round in 0..<3000 {
      var damaged = original
      if round % 3 == 0 {
        damaged.removeLast(Int.random(in: 1...original.count, using: &random))
      } else {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let bit = Int.random(in: 0..<headerEnd * 8, using: &random)
          damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        }
      }
      guard let file = try? open(Data(damaged)) else { continue }
      opened += 1
      #expect(round % 3 != 0, "opened a truncated file")
      if let weight = try? file.floats("weight", shape: [2, 3]) {
        #expect(weight == [1, 2, 3, 4, 5, 6])
      }
      if let bias = try? file.floats("bias", shape: [3]) { #expect(bias == [7, 8, 9]) }
      if let epoch = try? file.integers("epoch", shape: []) { #expect(epoch == [12]) }
    }
    #expect(opened > 0, "no damage was harmless: are headers compared at all?")
  }

  private func bytes(of value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
  }
}
