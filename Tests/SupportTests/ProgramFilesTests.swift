import Foundation
import TestSupport
import Testing

@testable import Support

struct ProgramFilesTests {
  @Test func areLookedForAroundTheExecutableAlsoThroughALink() throws {
    let directory = try TemporaryDirectory()
    try directory.write("x", to: "usr/bin/program")
    let link = directory.url.appendingPathComponent("link")
    try FileManager.default.createSymbolicLink(
      at: link, withDestinationURL: directory.url.appendingPathComponent("usr/bin/program"))
    let sources = directory.url.appendingPathComponent("sources")
    let root = directory.url.resolvingSymlinksInPath().path
    for executable in [directory.url.appendingPathComponent("usr/bin/program"), link] {
      let places = ProgramFiles.places(of: "data", executable: executable, sources: sources)
      #expect(
        places.map(\.path) == [
          root + "/usr/bin/data", root + "/usr/data", root + "/usr/share/sltt-dist/data",
          sources.path,
        ])
    }
    // Of a build that was moved.
    try directory.write("x", to: "moved/.build/here/release/program")
    let places = ProgramFiles.places(
      of: "data",
      executable: directory.url.appendingPathComponent("moved/.build/here/release/program"),
      sources: sources)
    #expect(places.suffix(2).map(\.path) == [root + "/moved/data", sources.path])
    #expect(ProgramFiles.places(of: "data", executable: nil, sources: sources) == [sources])
  }
}
