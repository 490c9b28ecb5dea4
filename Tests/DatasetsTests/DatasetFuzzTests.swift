import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Files with random damage: each gives a result or a `DatasetError`, and never a crash or a hang.
struct DatasetFuzzTests {
  /// Random damage: bytes changed, pieces cut out, doubled, moved or filled, an end cut off.
  private func damaged(_ bytes: [UInt8], _ random: inout RandomStream) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<1 + random.uniform(below: 4) where !bytes.isEmpty {
      let start = random.uniform(below: bytes.count)
      let length = min(bytes.count - start, 1 + random.uniform(below: 40))
      switch random.uniform(below: 7) {
      case 0: bytes[start] = UInt8(random.uniform(below: 256))
      case 1: bytes[start] ^= 1 << random.uniform(below: 8)
      case 2: bytes.removeSubrange(start..<start + length)
      case 3: bytes.insert(contentsOf: bytes[start..<start + length], at: start)
      case 4: bytes.removeLast(bytes.count - start)
      case 5:
        let filler: UInt8 = [0, 0x30, 0x39, 0xFF][random.uniform(below: 4)]
        for position in start..<start + length { bytes[position] = filler }
      default:
        let piece = Array(bytes[start..<start + length])
        bytes.insert(contentsOf: piece, at: random.uniform(below: bytes.count))
      }
    }
    return bytes
  }

  /// Runs cases until there are enough or, on a slow machine, two minutes are over; a hang shows as
  /// a single case that takes longer than 20 seconds.
  private func fuzz(
    _ cases: Int, _ content: [UInt8], _ use: ([UInt8]) throws -> Void
  ) {
    let start = ContinuousClock.now
    var results = (good: 0, bad: 0)
    for index in 0..<cases where ContinuousClock.now - start < .seconds(120) {
      var random = RandomStream(seed: 99, purpose: .initialization, index: index)
      let caseStart = ContinuousClock.now
      do {
        try use(damaged(content, &random))
        results.good += 1
      } catch is DatasetError {
        results.bad += 1
      } catch {
        Issue.record("case \(index): \(error)")
      }
      #expect(ContinuousClock.now - caseStart < .seconds(20), "case \(index)")
    }
    #expect(results.bad > 0, "damage that nothing notices is no test")
  }

  /// Reads and decodes all samples of a data set; gives the first error after all have had a turn.
  private func readAll(_ source: any ImageSource) throws {
    let decoder = ImageDecoder()
    var (bytes, image) = ([UInt8](), DecodedImage())
    var failure: (any Error)?
    for sample in 0..<source.count {
      do {
        try source.read(sample, into: &bytes)
        try decoder.decode(
          bytes, encoding: source.encoding, name: source.name(of: sample), channels: 3,
          into: &image)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  @Test func archives() throws {
    let fixture = try ShardFixture()
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let path = fixture.output.path + "/whole.tar"
    tar.arguments = ["tar", "-cf", path, "-C", fixture.source.path, "val"]
    try tar.run()
    tar.waitUntilExit()
    try #require(tar.terminationStatus == 0)
    fuzz(600, try fixture.content(of: "whole.tar")) { bytes in
      try fixture.output.write(bytes, to: "damaged.tar")
      try readAll(ImageArchive(path: fixture.output.path + "/damaged.tar", splits: ["val"]))
    }
  }

  @Test func shards() throws {
    let fixture = try ShardFixture()
    let index = try fixture.write()
    fuzz(400, try fixture.content(of: "val-000000.tar")) { bytes in
      try fixture.output.write(bytes, to: "val-000000.tar")
      _ = index.verify(directory: fixture.output.path)
      try readAll(ShardSource(path: fixture.output.path, splits: ["val"]))
    }
  }

  @Test func indices() throws {
    let fixture = try ShardFixture()
    let intact = try fixture.write()
    fuzz(1500, try fixture.content(of: "index.json")) { bytes in
      let index = try ShardIndex(json: bytes, path: "index")
      #expect(index == intact, "damage that went unnoticed")
      try fixture.output.write(bytes, to: "index.json")
      _ = index.verify(directory: fixture.output.path)
      for split in ["train", "val"] {
        try readAll(ShardSource(path: fixture.output.path, splits: [split]))
      }
    }
  }

  @Test func cifarFiles() throws {
    let directory = try TemporaryDirectory()
    let record = [UInt8(0), 1] + (0..<3072).map { UInt8(truncatingIfNeeded: $0) }
    let classes = Array("apple\nbear\n".utf8)
    fuzz(600, record + record + classes) { bytes in
      // Damage to all of them, or to any.
      try directory.write(bytes.prefix(2 * 3074), to: "train.bin")
      try directory.write(bytes.dropFirst(2 * 3074), to: "fine_label_names.txt")
      try readAll(ImageDataset.open(path: directory.path, split: "train"))
    }
  }

  @Test func indicesOfArchives() throws {
    var tar = TarFile()
    tar.addDirectory("train/a")
    tar.addFile("train/a/1.png", "1")
    tar.addHardLink("train/a/2.png", to: "train/a/1.png")
    tar.addSymbolicLink("train/a/3.png", to: "2.png")
    tar.addPipe("train/a/4.png")
    let directory = try TemporaryDirectory()
    let path = directory.file("x.tar")
    try directory.write(tar.closed, to: "x.tar")
    _ = try ImageArchive(path: path, splits: ["train"], listing: .alone, largestInMemory: 0)
    let name = try #require(
      FileManager.default.contentsOfDirectory(atPath: directory.file(".sltt-dist")).first {
        $0.hasSuffix(".index")
      })
    var index: [UInt8] = []
    try readFile(directory.file(".sltt-dist/\(name)"), into: &index)
    // Even where the checksum is right.
    fuzz(1500, Array(index.dropLast(8))) { bytes in
      let checksum = withUnsafeBytes(of: XXHash64.hash(bytes).littleEndian) { Array($0) }
      guard let tree = (bytes + checksum).withUnsafeBytes({ ArchiveTree(index: $0) }) else {
        throw DatasetError.noClasses(path: "")
      }
      _ = try FolderListing(
        of: SplitSearch(path: path, root: tree.root).find(["train"]).directory,
        split: RawPath("train"), location: path)
    }
  }

  @Test func listings() throws {
    let fixture = try ShardFixture()
    let listing = try FolderListing.scan(
      FileSystemDirectory(path: RawPath(fixture.source.path + "/train")), split: RawPath("train"))
    // Even where the checksum is right.
    fuzz(1500, Array(listing.serialized.dropLast(8))) { bytes in
      let checksum = withUnsafeBytes(of: XXHash64.hash(bytes).littleEndian) { Array($0) }
      guard FolderListing(serialized: bytes + checksum) != nil else {
        throw DatasetError.noClasses(path: "")
      }
    }
  }
}
