import Configuration
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
    try output.claim()
    #expect(try directory.contents == ["a"])
    #expect(output.path == directory.file("a/run"))
    #expect(output.checkpoints.path == directory.file("a/run/checkpoints"))
    try output.claim()
  }

  @Test func aRunIsNotOverwritten() throws {
    do {
      let output = OutputDirectory(directory.path)
      try output.claim()
      try output.write(Configuration())
      try output.write(Configuration())
    }
    #expect(try Configuration(file: directory.file("config.yaml")) == Configuration())
    #expect(try directory.contents == [".lock", "checkpoints", "config.yaml"])
    let output = OutputDirectory(directory.path)
    let problem =
      "\(directory.path) already holds a run; name another --output, or remove it: it has no"
      + " checkpoint yet"
    #expect(message { try output.requireNoRun() } == problem)
    #expect(message { try output.claim() } == problem)
    try directory.write("", to: "checkpoints/iteration-000000001/state.json")
    #expect(
      message { try output.requireNoRun() }
        .hasSuffix("or go on with it: --resume \(directory.path)"))
    try OutputDirectory(directory.path, isNew: false).claim()
  }

  @Test(arguments: ["metrics.csv", "metrics.jsonl", "checkpoints/latest", "checkpoints/best"])
  func whatIsOfOthersIsNotWrittenOver(name: String) throws {
    try directory.write("precious", to: name)
    for isNew in [true, false] {
      let output = OutputDirectory(directory.path, isNew: isNew)
      #expect(
        message { try output.claim() }
          == "\(directory.path) holds no run, but \(directory.file(name)), which one would write over: name"
          + " another --output")
    }
    #expect(try String(contentsOfFile: directory.file(name), encoding: .utf8) == "precious")
    // A run that was killed before its first checkpoint has left a configuration beside these.
    try OutputDirectory(directory.path, isNew: false).write(Configuration())
    try OutputDirectory(directory.path, isNew: false).claim()
  }

  /// As a backup brings them back that knows no links.
  @Test func checkpointsOfAnotherRunStay() throws {
    try directory.write("", to: "checkpoints/iteration-000000100/state.json")
    let problem = message { try OutputDirectory(directory.path).claim() }
    #expect(
      problem.hasPrefix("\(directory.path) holds checkpoints of another run"), "\(problem)")
    #expect(problem.hasSuffix("--resume \(directory.path)"))
    try OutputDirectory(directory.path, isNew: false).claim()
  }

  @Test func aDiskThatIsNotThereIsNamed() throws {
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("checkpoints"), withDestinationPath: directory.file("disk"))
    let problem = message { try OutputDirectory(directory.path).claim() }
    #expect(problem.contains("checkpoints"), "\(problem)")
    #expect(problem.contains("it is a link to something that is not there now"), "\(problem)")
  }

  @Test func aConfigurationOfSomethingElseIsNotWrittenOver() throws {
    try directory.write("site: mine\n", to: "config.yaml")
    #expect(
      message { try OutputDirectory(directory.path, isNew: false).claim() }
        .contains("has a config.yaml that is not of a run: name another --output"))
  }

  /// As on a file system without locks: both have looked, one writes first.
  @Test func ofTwoThatLookedOneWrites() throws {
    let output = OutputDirectory(directory.path)
    try output.claim()
    try directory.write("of another", to: "config.yaml")
    #expect(message { try output.write(Configuration()) }.contains("already holds a run"))
    #expect(try String(contentsOfFile: output.configuration, encoding: .utf8) == "of another")
  }

  @Test func oneProcessAtATime() throws {
    var first: OutputDirectory? = OutputDirectory(directory.path)
    try first?.claim()
    let problem = message { try OutputDirectory(directory.path).claim() }
    #expect(
      problem.hasPrefix("\(directory.path) is in use: process \(getpid()) on ")
        && problem.contains("name another --output"))
    first = nil
    try OutputDirectory(directory.path).claim()
  }

  @Test func saysWhyItCannotBeWritten() throws {
    try directory.write("", to: "file")
    let output = OutputDirectory(directory.file("file/run"))
    #expect(
      message { try output.claim() }
        == "\(output.path) cannot be created: Not a directory")
    #expect(
      message { try output.write(Configuration()) }.hasPrefix(
        "\(output.path)/config.yaml cannot be written: "))
  }

  @Test func aRunAndItsDataDoNotLieInEachOther() throws {
    for split in ["train", "val"] {
      try DigitSubset(split, counts: [1, 1]).write(to: directory, split: "all/data/\(split)")
    }
    try directory.makeDirectory("empty")
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("link"), withDestinationPath: "all/data")
    let path = directory.file("all/data")
    let data = try TrainingData(Configuration(file: nil, overrides: ["data.path=\(path)"]))
    func require(_ output: String, _ path: String) throws {
      let run = OutputDirectory(directory.file(output))
      try run.requireApart(from: path)
      try run.requireApart(fromClassesOf: data)
    }
    func problem(_ output: String) -> String { message { try require(output, path) } }
    for output in ["all/data", "all/data/", "link", "all/../all/data"] {
      #expect(problem(output).contains("is the data set"))
    }
    for output in ["all", "."] { #expect(problem(output).contains("holds the data set")) }
    for output in ["all/data/train", "all/data/val/new", "link/train/0/new"] {
      #expect(problem(output).contains("where each directory is taken for a class"))
    }
    for output in ["empty", "new", "all/new", "all/data/runs/new", "all/data2", "all/data/train2"] {
      try require(output, path)
    }
    try directory.makeDirectory("holding")
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("holding/link"), withDestinationPath: "../all/data")
    #expect(
      message { try require("holding", directory.file("holding/link")) }
        .contains("holds the data set"))
  }

  @Test func aRunAmongTheCheckpointsOfAnotherIsRefused() throws {
    func problem(_ output: String) -> String {
      message { try OutputDirectory(directory.file(output)).requireApartFromCheckpoints() }
    }
    for output in [
      "run/checkpoints/x", "run/checkpoints/iteration-000000001", "run/checkpoints/a/b",
    ] {
      #expect(problem(output) == "no error")
    }
    try directory.write("", to: "run/config.yaml")
    for output in [
      "run/checkpoints/x", "run/checkpoints/iteration-000000001", "run/checkpoints/a/b",
    ] {
      #expect(problem(output).contains("is among the checkpoints of the run"))
    }
    for output in ["run/other", "checkpoints/x", "run"] { #expect(problem(output) == "no error") }
  }

  @Test func theDefaultIsNamedByTheTime() throws {
    let format = #/runs/\d{8}-\d{6}/#
    #expect(try format.wholeMatch(in: OutputDirectory(nil).path) != nil)
    let (a, b) = (Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: 1))
    #expect(OutputDirectory(nil, at: a).path != OutputDirectory(nil, at: b).path)
  }
}
