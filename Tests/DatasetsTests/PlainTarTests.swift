import Foundation
import Support
import Synchronization
import TestSupport
import Testing

@testable import Datasets

/// A compressed archive is unpacked once, into a plain tar from which every process reads.
struct PlainTarTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private var archive: String { directory.file("x.tar.gz") }

  private func pack(_ tar: TarFile) throws {
    try directory.write(tar.closed, to: "x.tar")
    let run = try ProgramRun(["sh", "-c", "gzip -c \(directory.file("x.tar")) >\(archive)"])
    try #require(run.status == 0)
  }

  private func open(
    _ path: String, _ method: FolderListing.Method = .alone, largestInMemory: Int
  ) throws -> ImageArchive {
    try ImageArchive(
      path: path, splits: ["train"], listing: method, largestInMemory: largestInMemory)
  }

  private func samples(_ source: ImageArchive) throws -> [String] {
    try (0..<source.count).map { index in
      source.name(of: index).dropFirst(source.location.count + 1) + ": "
        + String(decoding: try source.bytes(of: index), as: UTF8.self)
    }
  }

  private var kept: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory.file(".sltt-dist"))) ?? [])
      .filter { $0.hasSuffix(".tar") || $0.hasSuffix(".partial") }
  }

  @Test(arguments: [0, 1 << 20])
  func allKindsOfMembersComeThrough(largestInMemory: Int) throws {
    var tar = TarFile()
    tar.addDirectory("train/empty/../a")
    tar.addFile("pool/1.bin", "pooled")
    tar.addHardLink("train/a/1.png", to: "pool/1.bin")
    tar.addHardLink("train/a/content.png", to: "pool/1.bin", content: "pooled")
    tar.addSymbolicLink("train/a/2.png", to: "1.png")
    tar.addFile(Array("train/a/".utf8) + [0xE9] + Array(".png".utf8), Array("bytes".utf8))
    tar.addPipe("train/a/pipe.png")
    tar.addFile("pool/1.bin", "replaced")
    try pack(tar)
    let plain = try ImageArchive(path: directory.file("x.tar"), splits: ["train"])
    let compressed = try open(archive, largestInMemory: largestInMemory)
    #expect(try samples(compressed) == samples(plain))
    #expect(compressed.count == 4)
    #expect(compressed.fingerprint == plain.fingerprint)
    #expect(compressed.passedOver == plain.passedOver)
    #expect(compressed.passedOver.count == 1)
    #expect(kept.count == (largestInMemory == 0 ? 1 : 0))
  }

  @Test(arguments: ["gnu", "pax"]) func longNamesAreKept(format: String) throws {
    let name = String(repeating: "long", count: 60) + ".png"
    try directory.write(Array("long".utf8), to: "train/é/\(name)")
    let run = try ProgramRun(
      ["tar", "--format", format, "-C", directory.path, "-czf", archive, "train"])
    try #require(run.status == 0)
    #expect(try samples(open(archive, largestInMemory: 0)) == ["é/\(name): long"])
  }

  @Test func theCopyIsMadeOnceForEachStateOfTheArchive() throws {
    let reports = Mutex<[String]>([])
    let method = FolderListing.Method(
      isRoot: true, broadcast: { $0 }, report: { line in reports.withLock { $0.append(line) } })
    var tar = TarFile()
    tar.addFile("train/a/1.png", "first")
    try pack(tar)
    for _ in 0..<2 {
      #expect(try samples(open(archive, method, largestInMemory: 0)) == ["a/1.png: first"])
    }
    #expect(reports.withLock { $0 }.count == 1)
    let first = kept
    #expect(first.count == 1 && first[0].hasPrefix("x.tar.gz.") && first[0].hasSuffix(".tar"))

    tar.addFile("train/a/2.png", "second")
    try pack(tar)
    #expect(
      try samples(open(archive, method, largestInMemory: 0))
        == ["a/1.png: first", "a/2.png: second"])
    #expect(reports.withLock { $0 }.count == 2)
    #expect(kept.count == 1 && kept != first)
  }

  /// Programs that make archives anew may set the same time, and without compression the size is the same.
  @Test func anArchiveOfTheSameSizeAndTimeIsAnother() throws {
    for content in ["first", "other"] {
      var tar = TarFile()
      tar.addFile("train/a/1.png", content)
      try directory.write(tar.closed, to: "x.tar")
      try #require(
        ProgramRun([
          "sh", "-c",
          "gzip -n -1 -c '\(directory.file("x.tar"))' >'\(archive)'"
            + " && touch -d @1700000000 '\(archive)'",
        ]).status == 0)
      #expect(try samples(open(archive, largestInMemory: 0)) == ["a/1.png: \(content)"])
    }
  }

  @Test func copiesThatWereCutOrLeftHalfWrittenAreMadeAgain() throws {
    var tar = TarFile()
    for number in 1...3 { tar.addFile("train/a/\(number).png", "\(number)") }
    try pack(tar)
    let expected = try samples(open(archive, largestInMemory: 0))
    let copy = directory.file(".sltt-dist/" + (try #require(kept.first)))
    let whole = try Data(contentsOf: URL(fileURLWithPath: copy))
    for size in [0, 1024, whole.count - 1] {
      try whole.prefix(size).write(to: URL(fileURLWithPath: copy))
      let remains = [
        "\(copy).\(UUID().uuidString).partial",
        directory.file(".sltt-dist/x.tar.gz.0123456789abcdef.tar.\(UUID().uuidString).partial"),
      ]
      for path in remains { try whole.write(to: URL(fileURLWithPath: path)) }
      #expect(try samples(open(archive, largestInMemory: 0)) == expected)
      #expect(kept == [(copy as NSString).lastPathComponent])
    }
  }

  @Test(arguments: [0, 1 << 20]) func aWrongChecksumIsDamage(largestInMemory: Int) throws {
    var tar = TarFile()
    tar.addFile("train/a/1.png", "content")
    try pack(tar)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: archive))
    bytes[bytes.count - 6] ^= 1
    try bytes.write(to: URL(fileURLWithPath: archive))
    let error = #expect(throws: DatasetError.self) {
      try open(archive, largestInMemory: largestInMemory)
    }
    #expect(error?.description.contains("its compressed data are damaged") == true)
    #expect(kept.isEmpty)
  }

  @Test func aDamagedArchiveLeavesNoCopy() throws {
    var tar = TarFile()
    tar.addFile("train/a/1.png", String(repeating: "content", count: 10_000))
    try pack(tar)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: archive))
    try bytes.dropLast(bytes.count / 2).write(to: URL(fileURLWithPath: archive))
    for limit in [0, 1 << 20] {
      #expect(throws: DatasetError.self) { try open(archive, largestInMemory: limit) }
    }
    #expect(kept.isEmpty)
  }

  @Test func membersWithHolesAreRead() throws {
    let file = directory.file("train/a/holes.png")
    var content = [UInt8](repeating: 0, count: 1 << 20)
    content[0] = 1
    content[700_000] = 2
    try directory.write(content, to: "train/a/holes.png")
    let sparse = directory.file("sparse.png")
    try #require(ProgramRun(["cp", "--sparse=always", file, sparse]).status == 0)
    try #require(ProgramRun(["mv", sparse, file]).status == 0)
    let tar = directory.file("sparse.tar")
    try #require(
      ProgramRun(["tar", "--sparse", "-C", directory.path, "-cf", tar, "train"]).status == 0)
    // Where the file system has no holes, the archive has none either.
    try #require(fileSize(tar) < 1 << 19)
    for limit in [0, 1 << 20] {
      #expect(try open(tar, largestInMemory: limit).bytes(of: 0) == content)
    }
  }

  @Test func partsOfAFileWithHolesAreInTheirPlaces() throws {
    var tar = TarFile()
    tar.addSparseFile("train/a/1.png", parts: [(512, "first"), (8192, "second")], size: 9000)
    try directory.write(tar.closed, to: "x.tar")
    var expected = [UInt8](repeating: 0, count: 9000)
    expected.replaceSubrange(512..<517, with: "first".utf8)
    expected.replaceSubrange(8192..<8198, with: "second".utf8)
    #expect(try open(directory.file("x.tar"), largestInMemory: 1 << 20).bytes(of: 0) == expected)
  }

  /// The map of such a file may say anything.
  @Test(arguments: [0, 1 << 20]) func partsThatGoBackAreDamage(largestInMemory: Int) throws {
    var tar = TarFile()
    tar.addSparseFile("train/a/1.png", parts: [(8192, "second"), (512, "first")], size: 9000)
    try directory.write(tar.closed, to: "x.tar")
    let error = #expect(throws: DatasetError.self) {
      try open(directory.file("x.tar"), largestInMemory: largestInMemory)
    }
    #expect(error?.description.contains("the parts of an entry overlap") == true)
    #expect(kept.isEmpty)
  }

  @Test func holesCountAsContent() throws {
    var tar = TarFile()
    tar.addFile("a", "1234")
    tar.addSparseFile("b", parts: [(1 << 31, "x")], size: 1 << 32)
    try directory.write(tar.closed, to: "x.tar")
    let reader = try ArchiveReader(path: directory.file("x.tar"))
    var bytes: [UInt8] = []
    #expect(try reader.nextEntry()?.size == 4)
    try reader.appendData(to: &bytes, limit: 4)
    #expect(bytes == Array("1234".utf8))
    #expect(try reader.nextEntry()?.size == 1 << 32)
    #expect(throws: DatasetError.self) { try reader.appendData(to: &bytes, limit: 1 << 24) }
    #expect(bytes.count == 4)
  }

  @Test func whereNothingCanBeKeptTheErrorNamesThePlaces() throws {
    var tar = TarFile()
    tar.addFile("train/a/1.png", "1")
    try pack(tar)
    let copy = try PlainTar.Copy(of: archive, directories: ["/proc/none"])
    let error = #expect(throws: DatasetError.self) { try copy.made(.alone) }
    #expect(error?.description.contains("the plain copy of \(archive)") == true)
    #expect(error?.description.contains("/proc/none") == true)
  }
}
