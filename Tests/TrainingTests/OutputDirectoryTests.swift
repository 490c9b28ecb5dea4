import Foundation
import TestSupport
import Testing

@testable import Training

struct OutputDirectoryTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  @Test func makesTheDirectoryOnlyWhenAsked() throws {
    let output = OutputDirectory(directory.file("a/run"))
    #expect(try directory.contents.isEmpty)
    try output.create()
    #expect(try directory.contents == ["a"])
    #expect(output.path == directory.file("a/run"))
    #expect(output.checkpoints.path == directory.file("a/run/checkpoints"))
    try output.create()
  }

  @Test func aRunIsNotOverwritten() throws {
    let output = OutputDirectory(directory.path)
    try output.create()
    try output.requireNoRun()
    try output.write(Configuration())
    #expect(try Configuration(file: directory.file("config.yaml")) == Configuration())
    #expect(
      message { try output.requireNoRun() }
        == "\(directory.path) already holds a run; name another --output, or remove it: it has no"
        + " checkpoint yet")
    try directory.write("", to: "checkpoints/iteration-000000001/state.json")
    #expect(
      message { try output.requireNoRun() }
        .hasSuffix("or go on with it: --resume \(directory.path)"))
  }

  @Test func saysWhyItCannotBeWritten() throws {
    try directory.write("", to: "file")
    let output = OutputDirectory(directory.file("file/run"))
    #expect(
      message { try output.create() }
        == "\(output.path) cannot be created: Not a directory")
    #expect(
      message { try output.write(Configuration()) }.hasPrefix(
        "\(output.path)/config.yaml cannot be written: "))
  }

  @Test func theDefaultIsNamedByTheTime() throws {
    let format = #/runs/\d{8}-\d{6}/#
    #expect(try format.wholeMatch(in: OutputDirectory.defaultPath()) != nil)
    let (a, b) = (Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: 1))
    #expect(OutputDirectory.defaultPath(at: a) != OutputDirectory.defaultPath(at: b))
  }
}
