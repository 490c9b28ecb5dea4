import Foundation
import Support
import TestSupport
import Testing

@testable import Datasets

struct UnlabelledImagesTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    for name in ["b/2.png", "b/1.JPG", "b/deeper/0.jpeg", "b/notes.txt", "b/.hidden.png", "a.png"] {
      try directory.write(name, to: name)
    }
  }

  private func path(_ name: String) -> RawPath { RawPath(directory.file(name)) }

  /// Names without the directory's, and contents.
  private func samples(_ images: UnlabelledImages) throws -> [[String]] {
    try images.labels.indices.map { index in
      [
        String(images.name(of: index).dropFirst(directory.path.count + 1)),
        String(decoding: try images.bytes(of: index), as: UTF8.self),
      ]
    }
  }

  @Test func filesAndDirectoriesComeInTheOrderInWhichTheyAreNamed() throws {
    var images = UnlabelledImages()
    try images.add(path("b"))
    try images.add(path("a.png"))
    let names = ["b/1.JPG", "b/2.png", "b/deeper/0.jpeg", "a.png"]
    #expect(try samples(images) == names.map { [$0, $0] })
    #expect(images.labels == [0, 0, 0, 0])
  }

  @Test(arguments: ["x.tar", "x.tar.gz", "X.TGZ"])
  func membersOfArchivesAreSamples(name: String) throws {
    var tar = TarFile()
    tar.addFile("deep/two.png", "2")
    tar.addFile("one.jpg", "1")
    tar.addFile("one.cls", "0")
    try directory.write(tar.closed, to: "plain.tar")
    if name == "x.tar" {
      try directory.write(tar.closed, to: name)
    } else {
      let run = try ProgramRun(["sh", "-c", "gzip -c plain.tar >\(name)"], in: directory.path)
      try #require(run.status == 0)
    }
    var images = UnlabelledImages()
    try images.add(path(name))
    #expect(
      try samples(images) == [["\(name):one.jpg", "1"], ["\(name):deep/two.png", "2"]])
  }

  @Test func namesThatLeadToNoFileAreSamplesThatCannotBeRead() throws {
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("b/gone.jpg"), withDestinationPath: "/none")
    try #require(mkfifo(directory.file("b/pipe.png"), 0o600) == 0)
    // Not wanted in any case.
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("b/gone.txt"), withDestinationPath: "/none")
    var tar = TarFile()
    tar.addSymbolicLink("one.jpg", to: "/none")
    try directory.write(tar.closed, to: "x.tar")
    var images = UnlabelledImages()
    try images.add(path("b"))
    try images.add(path("x.tar"))
    #expect(images.count == 6)
    let problems = [3, 4, 5].map { index in message { _ = try images.bytes(of: index) } }
    #expect(problems.contains { $0.hasPrefix("\(path("b/gone.jpg")): cannot be read") })
    #expect(problems.contains { $0.hasPrefix("\(path("b/pipe.png")): cannot be read") })
    #expect(problems[2].hasPrefix("\(path("x.tar")):one.jpg: cannot be read"))
  }

  @Test func whatHasNothingIsAnError() throws {
    try directory.makeDirectory("empty")
    try directory.write("no tar", to: "x.tar")
    var images = UnlabelledImages()
    try images.add(path("a.png"))
    for (name, problem) in [
      ("none", "there is no such file or directory"), ("x.tar", "cannot be read as a tar archive"),
      ("empty", "has no .jpg, .jpeg or .png files"),
    ] {
      let text = message { try images.add(path(name)) }
      #expect(text.hasPrefix("\(path(name)): ") && text.contains(problem), "\(text)")
    }
    #expect(images.count == 1)
  }
}
