import Foundation
import Support
import TestSupport
import Testing

struct ResultFileTests {
  private let kind = ResultKind("list of numbers", beginning: "number,", marks: ["\n"])
  private let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("result.csv")
  }

  private var text: String { get throws { try String(contentsOfFile: path, encoding: .utf8) } }

  private func write(_ text: String) throws {
    let file = try ResultFile(path: path, kind)
    try file.append(Array(text.utf8))
    try file.finish()
  }

  @Test func aDashIsNoFile() {
    #expect(throws: FileError.self) { try ResultFile(path: "-", kind) }
  }

  @Test func replacesNothingButResultsOfItsKind() throws {
    try write("number,name\n")
    try write("number,place\n")
    #expect(try text == "number,place\n")
    try directory.write("", to: "result.csv")
    try write("number,\n1,\n")
    #expect(try text == "number,\n1,\n")
    try directory.write("name,number\n", to: "result.csv")
    let error = #expect(throws: FileError.self) { try ResultFile(path: path, kind) }
    #expect(error == .occupied(path: path, wanted: "list of numbers"))
    #expect(try text == "name,number\n")
    // With all that its files have, but elsewhere.
    try directory.write("of a number,\n", to: "result.csv")
    #expect(throws: FileError.self) { try ResultFile(path: path, kind) }
    #expect(try directory.contents == ["result.csv"])
  }

  @Test func aLinkStaysOne() throws {
    try directory.write("number,\n", to: "elsewhere")
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: directory.file("elsewhere"))
    try write("number,\n2,\n")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path).hasSuffix("elsewhere"))
    #expect(try text == "number,\n2,\n")
  }

  @Test func aLinkToWhatIsNotThereYetStaysOne() throws {
    try directory.makeDirectory("place")
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: "place/numbers.csv")
    try write("number,\n3,\n")
    #expect(
      try String(contentsOfFile: directory.file("place/numbers.csv"), encoding: .utf8)
        == "number,\n3,\n")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "place/numbers.csv")
    // Of what something else writes, too.
    #expect(try kind.requireReplaceable(path) == directory.file("place/numbers.csv"))
  }

  @Test func aDirectoryIsNoResult() throws {
    try directory.makeDirectory("result.csv")
    #expect(throws: FileError.self) { try ResultFile(path: path, kind) }
    #expect(throws: FileError.self) { try kind.requireReplaceable(path) }
  }

  @Test func aPipeIsWrittenTo() throws {
    #expect(mkfifo(path, 0o600) == 0)
    // Opened for both ways, so that nobody waits.
    let reader = open(path, O_RDWR)
    defer { close(reader) }
    try write("number,\n3,\n")
    var bytes = [UInt8](repeating: 0, count: 100)
    let count = read(reader, &bytes, bytes.count)
    #expect(String(decoding: bytes[..<count], as: UTF8.self) == "number,\n3,\n")
    #expect(
      try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        != .typeRegular)
  }
}
