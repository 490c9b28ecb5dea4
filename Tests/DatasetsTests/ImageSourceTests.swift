import Foundation
import TestSupport
import Testing

@testable import Datasets

struct ImageSourceTests {
  private let directory: TemporaryDirectory
  private let archives: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    archives = try TemporaryDirectory()
  }

  /// Writes files that hold their own names.
  private func write(_ names: String...) throws {
    for name in names { try directory.write(name, to: name) }
  }

  /// Packs the directory, or a part of it, with the system's tar.
  private func makeArchive(_ flags: String = "-cf", of content: String = ".") throws -> String {
    let archive = archives.url.appendingPathComponent("\(flags).tar").path
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = ["tar", flags, archive, "-C", directory.path, content]
    try tar.run()
    tar.waitUntilExit()
    try #require(tar.terminationStatus == 0)
    return archive
  }

  @Test func foldersAndArchivesListTheSameSamplesInOrder() throws {
    try write(
      "train/b/2.JPEG", "train/b/10.jpg", "train/b/notes.txt", "train/b/.hidden.png",
      "train/B/x.png", "train/a b's/ü.JPG", "train/a b's/.DS_Store", "train/z/1.jpeg",
      "train/README.md", "val/b/1.png")
    let folder = try ImageDataset.open(path: directory.path, split: "train")
    #expect(folder.classes == ["B", "a b's", "b", "z"])
    #expect(folder.labels == [0, 1, 2, 2, 3])
    let names = ["B/x.png", "a b's/ü.JPG", "b/10.jpg", "b/2.JPEG", "z/1.jpeg"]
    for flags in ["-cf", "-czf"] {
      let path = try makeArchive(flags)
      let archive = try ImageDataset.open(path: path, split: "train")
      #expect(archive.classes == folder.classes)
      #expect(archive.labels == folder.labels)
      for (index, name) in names.enumerated() {
        #expect(folder.name(of: index) == "\(directory.path)/train/\(name)")
        #expect(archive.name(of: index) == "\(path):train/\(name)")
        let content = Array("train/\(name)".utf8)
        #expect(try folder.bytes(of: index) == content)
        #expect(try archive.bytes(of: index) == content)
      }
    }
  }

  /// A tar of `train/a/1.png`, packed by each of the programs; `gzip` is above.
  @Test(arguments: [
    (
      "bzip2",
      "QlpoOTFBWSZTWbHT+BYAAH/7hMqAAFBAAeWACABio94AAACACCAAdRBRnqgPUaGTEzUEkSaAANA0E/pXwghBKICRpnWV"
        + "WtEwZJA4MPN+teHjCkzOQMto9PCyyc7AhRW8jzCCVRLZlYvn6LVgTXYGkH4u5IpwoSFjp/As"
    ),
    (
      "xz",
      "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AG5dADociEYyOgcD4SrxDqfPeMChdSd7PSLbn6Py35fgp+HcdXw+4BWy"
        + "SwO830PHwPdX8Jj9k7eI8EN80EsfFv5USsEsir4ORtlIhkmdIXJrJgs+Pgy/9Mkf4UoQ0PAQHnU0TtdR6iVg1xY7bm"
        + "0P2JkAAAAAeuiJNyEkeMgAAYoBgFAAAFhS+8CxxGf7AgAAAAAEWVo="
    ),
    (
      "zstd",
      "KLUv/QRY5QIAdAN0cmFpbi9hLzEucG5nADAwMDA2NDQwMDAwMDExMTcwNwAgMHVzdGFyICAAcm9vdGFuIGltYWdlDQA+"
        + "BXhAExqKaYAKgCH3AkAndEAiZvJQI9wsBsCxchkzASWxFcnO"
    ),
    (
      "lz4",
      "BCJNGGRAp5EAAADvdHJhaW4vYS8xLnBuZwABAENxMDAwMDY0NAgAPDAwMAgANTAwMRQAAAIArwAwMTE3MDcAIDCPAEMK"
        + "AgDKdXN0YXIgIAByb290GgAKAgAPIAANDwIApI9hbiBpbWFnZb8ApA8CAP////////////////////////////////"
        + "////////////////9OUAAAAAAAAAAAAACid2NY="
    ),
  ])
  func archivesOfEveryCompressionThatIsPromisedAreRead(program: String, base64: String) throws {
    try archives.write(try #require(Data(base64Encoded: base64)), to: program + ".tar")
    let archive = try ImageDataset.open(path: archives.file(program + ".tar"), split: "train")
    #expect(try archive.bytes(of: 0) == Array("an image".utf8))
    let text = "\(DatasetError.unreadableArchive(path: "", reason: ""))"
    #expect(text.contains(program))
  }

  @Test func aClassOfImagesThatAreNotReadNamesTheirFormat() throws {
    try write("train/a/1.png", "train/b/1.webp", "train/b/2.webp", "train/b/3.bmp")
    let error = #expect(throws: DatasetError.self) {
      try ImageDataset.open(path: directory.path, split: "train")
    }
    #expect(
      error.map { "\($0)" }?.contains(
        "'b' has no .jpg, .jpeg or .png files, but 2 .webp (not read: convert to JPEG or PNG), 1 .bmp"
      ) == true)
  }

  @Test func anArchiveMayHaveADirectoryAroundItsSplits() throws {
    try write("data/train/a/1.png", "data/val/a/2.png")
    let archive = try ImageDataset.open(path: makeArchive(of: "data"), split: "val")
    #expect(archive.classes == ["a"])
    #expect(try archive.bytes(of: 0) == Array("data/val/a/2.png".utf8))
  }

  @Test func aMissingPathIsAnError() {
    let path = directory.file("nowhere/at/all")
    #expect(throws: DatasetError.notFound(path: path)) {
      try ImageDataset.open(path: path, split: "train")
    }
  }

  @Test func aMissingSplitNamesThoseThatExist() throws {
    try write("train/a/1.png", "test/a/1.png")
    for path in [directory.path, try makeArchive()] {
      #expect(
        throws: DatasetError.missingSplit(
          path: path, splits: ["val"], available: ["test", "train"])
      ) {
        try ImageDataset.open(path: path, split: "val")
      }
    }
  }

  @Test func aMissingSplitIsExplainedByAFewOfTheOthers() {
    func message(_ count: Int) -> String {
      "\(DatasetError.missingSplit(path: "x", splits: ["val"], available: (0..<count).map(String.init)))"
    }
    #expect(message(0).hasPrefix("x: has no split 'val', only: no directories. Name "))
    #expect(message(2).hasPrefix("x: has no split 'val', only: 0, 1. Name "))
    #expect(message(99).hasPrefix("x: has no split 'val', only: 0, 1, 2, 3, 4, 5, 6, 7, …. Name "))
  }

  @Test func aSplitWithoutClassesIsAnError() throws {
    try write("train/README.md")
    #expect(throws: DatasetError.noClasses(path: directory.path + "/train")) {
      try ImageDataset.open(path: directory.path, split: "train")
    }
  }

  @Test func anEmptyClassIsAnError() throws {
    try write("train/a/1.png", "train/b/notes.txt")
    let archive = try makeArchive()
    #expect(
      throws: DatasetError.emptyClass(
        path: directory.path + "/train", name: "b", found: "1 .txt (no image)")
    ) {
      try ImageDataset.open(path: directory.path, split: "train")
    }
    #expect(
      throws: DatasetError.emptyClass(
        path: archive + ":train", name: "b", found: "1 .txt (no image)")
    ) {
      try ImageDataset.open(path: archive, split: "train")
    }
  }

  @Test func damagedArchivesAreErrors() throws {
    try directory.write([UInt8](repeating: 1, count: 100_000), to: "train/a/1.png")
    let whole = try Data(contentsOf: URL(fileURLWithPath: makeArchive()))
    try directory.write("this is no archive, whatever its name", to: "text.tar")
    try directory.write("", to: "empty.tar")
    try directory.write(whole.prefix(50_000), to: "truncated.tar")
    for name in ["text.tar", "empty.tar", "truncated.tar"] {
      let path = directory.path + "/" + name
      let error = #expect(throws: DatasetError.self) {
        try ImageDataset.open(path: path, split: "train")
      }
      guard case .unreadableArchive(path, _) = error else {
        Issue.record("\(name): \(String(describing: error))")
        continue
      }
    }
  }

  @Test func aFileThatHasGoneIsAnErrorWithItsPath() throws {
    try write("train/a/1.png")
    let source = try ImageDataset.open(path: directory.path, split: "train")
    let path = directory.path + "/train/a/1.png"
    try FileManager.default.removeItem(atPath: path)
    #expect(
      throws: DatasetError.notFound(path: path)
    ) {
      try source.bytes(of: 0)
    }
  }

  @Test func differentClassesAreAnErrorThatNamesTheFirstDifference() throws {
    try write("train/cat/1.png", "train/dog/1.png", "train/owl/1.png")
    try write("val/cat/1.png", "val/emu/1.png", "val/owl/1.png")
    try write("test/cat/1.png", "test/dog/1.png")
    let open = { try ImageDataset.open(path: directory.path, split: $0) }
    try requireSameClasses(training: open("train"), validation: open("train"))
    let cases = [("val", 1, "dog", Optional("emu")), ("test", 2, "owl", nil)]
    for (split, index, first, second) in cases {
      #expect(
        throws: DatasetError.classesDiffer(
          training: directory.path + "/train", validation: "\(directory.path)/\(split)",
          index: index, trainingClass: first, validationClass: second)
      ) {
        try requireSameClasses(training: open("train"), validation: open(split))
      }
    }
  }
}
