import Foundation
import Support
import Synchronization
import TestSupport
import Testing

@testable import Datasets

/// The headers of a large archive are read once, by one rank.
struct ArchiveIndexTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private var path: String { directory.file("x.tar") }

  private func write(_ contents: [String]) throws {
    var tar = TarFile()
    for (index, content) in contents.enumerated() {
      tar.addFile("train/a/\(index).png", content)
    }
    tar.addDirectory("train/empty/../a")
    tar.addHardLink("train/a/hard.png", to: "train/a/0.png")
    tar.addSymbolicLink("train/a/soft.png", to: "hard.png")
    tar.addPipe("train/a/pipe.png")
    tar.addHardLink("train/a/broken.png", to: "nothing")
    try directory.write(tar.closed, to: "x.tar")
  }

  /// The samples, and how many members had to be read for them.
  private func open(
    _ broadcast: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }, isRoot: Bool = true
  ) throws -> (source: ImageArchive, membersRead: Int) {
    let count = Counter()
    let method = FolderListing.Method(
      isRoot: isRoot, broadcast: broadcast, progress: count.increment, report: { _ in })
    let source = try ImageArchive(
      path: path, splits: ["train"], listing: method, largestInMemory: 0)
    return (source, count.value)
  }

  private func contents(_ source: ImageArchive) throws -> [String] {
    try (0..<source.count).map { String(decoding: try source.bytes(of: $0), as: UTF8.self) }
  }

  private var indices: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: directory.file(".sltt-dist"))
        .filter { $0.hasSuffix(".index") }.map { directory.file(".sltt-dist/\($0)") }
    }
  }

  @Test func aSecondStartReadsNoHeaders() throws {
    try write(["zero", "one"])
    let first = try open()
    #expect(first.membersRead >= 7)
    let second = try open()
    #expect(second.membersRead == 0)
    for (source, _) in [first, second] {
      #expect(try contents(source) == ["zero", "one", "zero", "zero"])
      #expect("\(source.passedOver)" == "1 linked to nothing, 1 neither file nor directory")
    }
    #expect(first.source.fingerprint == second.source.fingerprint)
  }

  @Test func anotherStateOfTheArchiveHasAnotherIndex() throws {
    try write(["zero", "one"])
    _ = try open()
    let old = try indices
    try write(["zero", "one", "two"])
    #expect(try contents(open().source) == ["zero", "one", "two", "zero", "zero"])
    #expect(try indices.count == 1 && indices != old)
  }

  @Test func aDamagedIndexIsMadeAgain() throws {
    try write(["zero", "one"])
    _ = try open()
    let index = try #require(indices.first)
    let whole = try Data(contentsOf: URL(fileURLWithPath: index))
    for position in stride(from: 0, to: whole.count, by: 7) {
      var flipped = whole
      flipped[position] ^= 4
      for damaged in [flipped, whole.prefix(position)] {
        try damaged.write(to: URL(fileURLWithPath: index))
        let (source, membersRead) = try open()
        #expect(membersRead >= 7)
        #expect(try contents(source) == ["zero", "one", "zero", "zero"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: index)) == whole)
      }
    }
  }

  @Test func whereNoIndexCanBeKeptTheHeadersAreReadEachTime() throws {
    try write(["zero", "one"])
    let index = try ArchiveIndex(of: path, for: path, directories: ["/proc/none"])
    for _ in 0..<2 {
      let count = Counter()
      let tree = try index.tree(
        FolderListing.Method(
          isRoot: true, broadcast: { $0 }, progress: count.increment, report: { _ in }))
      #expect(count.value >= 7)
      #expect(tree.isPlain)
    }
  }

  @Test func theOtherRanksReadNoHeaders() throws {
    try write(["zero", "one"])
    let sent = Mutex<[[UInt8]]>([])
    let listed = try open { bytes in
      sent.withLock { $0.append(bytes) }
      return bytes
    }
    let bytes = try #require(sent.withLock { $0.count == 1 ? $0[0] : nil })
    for path in try indices { try FileManager.default.removeItem(atPath: path) }
    let received = try open({ _ in bytes }, isRoot: false)
    #expect(received.membersRead == 0)
    #expect(try indices.isEmpty)
    #expect(received.source.fingerprint == listed.source.fingerprint)
    #expect(received.source.passedOver == listed.source.passedOver)
    #expect(try contents(received.source) == contents(listed.source))
    #expect(try received.source.copyHash() == listed.source.copyHash())
    #expect(throws: DatasetError.self) {
      try open({ _ in Array(bytes.dropLast()) }, isRoot: false)
    }
  }

  @Test func anotherArchiveOfTheSameNamesHasAnotherHash() throws {
    try write(["zero", "one"])
    let (source, _) = try open()
    let hash = try source.copyHash()
    try write(["zero", "eno"])
    let (other, _) = try open()
    #expect(source.fingerprint == other.fingerprint)
    #expect(try hash != other.copyHash())
  }

  /// An archive with holes has an index of its own, which says that a copy is needed, and one of its copy.
  @Test func bothIndicesOfAnArchiveWithHolesAreKept() throws {
    let file = directory.file("train/a/holes.png")
    var content = [UInt8](repeating: 0, count: 1 << 20)
    content[0] = 1
    try directory.write(content, to: "train/a/holes.png")
    try #require(
      ProgramRun([
        "sh", "-c",
        "cd '\(directory.path)' && cp --sparse=always '\(file)' s && mv s '\(file)'"
          + " && tar --sparse -cf x.tar train",
      ]).status == 0)
    try #require(fileSize(path) < 1 << 19)
    _ = try open()
    let (source, membersRead) = try open()
    #expect(membersRead == 0)
    #expect(try source.bytes(of: 0) == content)
    #expect(try indices.count == 2)
  }
}

private final class Counter: Sendable {
  private let count = Mutex(0)

  var value: Int { count.withLock { $0 } }

  @Sendable func increment() { count.withLock { $0 += 1 } }
}
