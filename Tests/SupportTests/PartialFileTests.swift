import Foundation
import TestSupport
import Testing

@testable import Support

struct PartialFileTests {
  private let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("frames")
  }

  @Test(arguments: ["none", "frames"]) func liesInADirectory(name: String) throws {
    try directory.write("", to: "frames")
    let path = directory.file("\(name)/x")
    let error = #expect(throws: FileError.self) { try PartialFile(path: path) }
    #expect(error == .noDirectory(path: path, directory.file(name)))
  }

  @Test(arguments: [false, true])
  func appearsWhenItIsComplete(isShared: Bool) throws {
    try directory.write("before", to: "frames")
    let file = try PartialFile(path: path, isShared: isShared)
    try file.append([1, 2, 3])
    try file.write([9], at: 1)
    try file.append([4])
    #expect(try contentsOfFile(path) == Data("before".utf8))
    #expect(file.size == 4)
    try file.finish()
    #expect(try contentsOfFile(path) == Data([1, 9, 3, 4]))
    #expect(try directory.contents == ["frames"])
  }

  @Test(arguments: [false, true])
  func leavesNothingUnlessItIsFinished(isShared: Bool) throws {
    do {
      let file = try PartialFile(path: path, isShared: isShared)
      try file.append([1])
      #expect(try directory.contents.count == 1)
    }
    #expect(try directory.contents == [])
  }

  @Test func whatAKilledProcessLeftIsWrittenOver() throws {
    try directory.write("half of something long", to: "frames.partial")
    let file = try PartialFile(path: path)
    try file.append([1])
    try file.finish()
    #expect(try contentsOfFile(path) == Data([1]))
    #expect(try directory.contents == ["frames"])
  }

  @Test func aFinishedFileLeavesTheNextOneAlone() throws {
    var first: PartialFile? = try PartialFile(path: path)
    try first?.finish()
    let second = try PartialFile(path: path)
    try second.append([2])
    first = nil
    try second.finish()
    #expect(try contentsOfFile(path) == Data([2]))
  }

  @Test func severalMayWriteTheSameFile() throws {
    let files = try (0..<2).map { _ in try PartialFile(path: path, isShared: true) }
    for (number, file) in files.enumerated() { try file.append([UInt8(number)]) }
    let unfinished = try directory.contents
    #expect(unfinished.map { PartialFile.name(ofUnfinished: $0) } == ["frames", "frames"])
    for file in files { try file.finish() }
    #expect(try contentsOfFile(path) == Data([1]))
    #expect(PartialFile.name(ofUnfinished: "frames") == nil)
    #expect(PartialFile.name(ofUnfinished: "frames.partial") == nil)
  }

  @Test func namesThePathAndTheReason() throws {
    try directory.makeDirectory("frames.partial")
    #expect(throws: FileError.unwritable(path: path, reason: "Is a directory")) {
      try PartialFile(path: path)
    }
  }
}
