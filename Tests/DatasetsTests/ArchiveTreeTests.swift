import TestSupport
import Testing

@testable import Datasets

/// What is in an archive is what unpacking it gives.
struct ArchiveTreeTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// The images of the split `train` as `class/file: content`.
  private func listing(_ tar: TarFile) throws -> (samples: [String], passedOver: String) {
    try directory.write(tar.closed, to: "x.tar")
    let source = try ImageArchive(path: directory.file("x.tar"), splits: ["train"])
    let samples = try (0..<source.count).map { index in
      source.name(of: index).dropFirst(source.location.count + 1) + ": "
        + String(decoding: try source.bytes(of: index), as: UTF8.self)
    }
    return (samples, "\(source.passedOver)")
  }

  @Test func theLastOfSeveralMembersOfANameCounts() throws {
    var tar = TarFile()
    tar.addFile("train/a/1.png", "old")
    tar.addFile("train/a/2.png", "file")
    tar.addSymbolicLink("train/a/3.png", to: "2.png")
    tar.addFile("./train//a/1.png", "new")
    tar.addFile("train/a/3.png", "no link any more")
    #expect(
      try listing(tar) == (
        ["a/1.png: new", "a/2.png: file", "a/3.png: no link any more"], ""
      ))
  }

  @Test func oddNamesOfTheSameFileAreTheSameFile() throws {
    var tar = TarFile()
    tar.addFile("/train/a/1.png", "absolute")
    tar.addFile("./train/a/./2.png", "points")
    tar.addFile("other/../train/b/../a//3.png", "around")
    tar.addFile("../train/a/4.png", "outside")
    #expect(
      try listing(tar).samples == ["a/1.png: absolute", "a/2.png: points", "a/3.png: around"])
  }

  @Test func hardLinksAreTheFileThatTheyName() throws {
    var tar = TarFile()
    tar.addFile("pool/1.bin", "pooled")
    tar.addHardLink("train/a/1.png", to: "pool/1.bin")
    tar.addHardLink("train/a/2.png", to: "./train/a/1.png")
    tar.addHardLink("train/a/3.png", to: "train/a/4.png")
    tar.addFile("train/a/4.png", "later")
    // The link keeps the content that the name had.
    tar.addFile("pool/1.bin", "replaced")
    let (samples, passedOver) = try listing(tar)
    #expect(samples == ["a/1.png: pooled", "a/2.png: pooled", "a/4.png: later"])
    #expect(passedOver == "1 linked to nothing")
  }

  @Test func symbolicLinksLeadToWhatIsThereInTheEnd() throws {
    var tar = TarFile()
    tar.addSymbolicLink("train/a/1.png", to: "../../pool/x.png")
    tar.addSymbolicLink("train/a/2.png", to: "1.png")
    tar.addSymbolicLink("train/b", to: "../pool/deep")
    tar.addFile("pool/deep/y/z.jpg", "deep")
    tar.addFile("pool/x.png", "pooled")
    tar.addHardLink("train/a/3.png", to: "train/a/2.png")
    #expect(
      try listing(tar) == (
        ["a/1.png: pooled", "a/2.png: pooled", "a/3.png: pooled", "b/y/z.jpg: deep"], ""
      ))
  }

  @Test func linksThatLeadNowhereAreCounted() throws {
    var tar = TarFile()
    tar.addFile("train/a/1.png", "1")
    tar.addSymbolicLink("train/a/gone.png", to: "nothing.png")
    tar.addSymbolicLink("train/a/through-a-file.png", to: "1.png/x.png")
    tar.addSymbolicLink("train/a/absolute.png", to: "/train/a/1.png")
    tar.addSymbolicLink("train/a/above.png", to: "../../../1.png")
    tar.addSymbolicLink("train/a/itself.png", to: "itself.png")
    tar.addSymbolicLink("train/a/there.png", to: "back.png")
    tar.addSymbolicLink("train/a/back.png", to: "there.png")
    tar.addSymbolicLink("train/a/up", to: "..")
    tar.addPipe("train/a/pipe.png")
    let (samples, passedOver) = try listing(tar)
    #expect(samples == ["a/1.png: 1"])
    #expect(
      passedOver == "4 linked in a circle, 2 linked to nothing, 2 linked to outside of the archive,"
        + " 1 neither file nor directory")
  }

  @Test func membersBehindALinkToADirectoryAreInThatDirectory() throws {
    var tar = TarFile()
    tar.addDirectory("train/a")
    tar.addSymbolicLink("current", to: "train")
    tar.addFile("current/a/1.png", "1")
    #expect(try listing(tar).samples == ["a/1.png: 1"])
  }

  /// Of 40 links, each leads through the one before three times.
  @Test func linksThatMultiplyEndSoon() throws {
    var tar = TarFile()
    tar.addFile("train/a/1.png", "1")
    tar.addDirectory("train/a/d")
    tar.addSymbolicLink("train/a/l0", to: "d")
    for number in 1..<40 {
      let before = "l\(number - 1)"
      tar.addSymbolicLink("train/a/l\(number)", to: "\(before)/../\(before)/../\(before)")
    }
    let (samples, passedOver) = try listing(tar)
    #expect(samples == ["a/1.png: 1"])
    #expect(passedOver == "36 linked in a circle")
  }

  /// Each link counts for one name, so that a file behind many of them is found and read.
  @Test func linksOfSeveralNamesAddUp() throws {
    var tar = TarFile()
    tar.addFile("pool/1.png", "1")
    for part in ["directory", "file"] {
      tar.addSymbolicLink("\(part)0", to: part == "file" ? "pool/1.png" : "pool")
      for number in 1..<39 {
        tar.addSymbolicLink("\(part)\(number)", to: "\(part)\(number - 1)")
      }
    }
    tar.addSymbolicLink("pool/2.png", to: "../file38")
    tar.addSymbolicLink("train/a", to: "../directory38")
    #expect(try listing(tar).samples == ["a/1.png: 1", "a/2.png: 1"])
  }

  @Test func namesThatNoSystemUnpacksAreDamage() throws {
    var tar = TarFile()
    tar.addLongFile("train/a/" + String(repeating: "d/", count: 50_000) + "1.png", "1")
    let error = #expect(throws: DatasetError.self) { try listing(tar) }
    #expect(error?.description.contains("a name has more than 4096 bytes") == true)
  }

  @Test func whatLiesTooDeepIsCounted() throws {
    var tar = TarFile()
    tar.addFile("train/a/1.png", "1")
    tar.addLongFile("train/a/" + String(repeating: "d/", count: 250) + "2.png", "2")
    tar.addLongFile("train/b/" + String(repeating: "d/", count: 300) + "3.png", "3")
    tar.addFile("train/b/4.png", "4")
    let (samples, passedOver) = try listing(tar)
    #expect(samples.count == 3 && samples[1].hasSuffix("d/2.png: 2"))
    #expect(passedOver == "1 more than 256 directories deep")
  }

  @Test func namesThatAreNotUTF8AreKept() throws {
    var tar = TarFile()
    tar.addFile(Array("train/a/".utf8) + [0xE9] + Array(".png".utf8), Array("1".utf8))
    try directory.write(tar.closed, to: "x.tar")
    let source = try ImageArchive(path: directory.file("x.tar"), splits: ["train"])
    #expect(source.name(of: 0).hasSuffix(":train/a/\u{FFFD}.png"))
    #expect(try source.bytes(of: 0) == Array("1".utf8))
  }
}
