import Foundation
import TestSupport
import Testing

@testable import Datasets

struct ShardWriterTests {
  private let fixture: ShardFixture

  init() throws { fixture = try ShardFixture() }

  @Test func everySampleIsInOneShardByteByByte() throws {
    let index = try fixture.write()
    #expect(index.splits["train"]?.shards.map(\.samples) == [6, 6, 6, 6])
    #expect(index.splits["val"]?.shards.map(\.samples) == [6])
    #expect(
      index.splits["train"]?.shards.map(\.file) == (0..<4).map { "train-00000\($0).tar" })
    for split in ["train", "val"] {
      let original = try ImageDataset.open(path: fixture.source.path, split: split)
      let shards = try ShardSource(path: fixture.output.path, splits: [split])
      #expect(shards.classes == original.classes)
      var seen: [Int] = []
      for sample in 0..<shards.count {
        let index = try sourceIndex(shards, sample)
        seen.append(index)
        #expect(shards.labels[sample] == original.labels[index])
        #expect(try shards.bytes(of: sample) == original.bytes(of: index))
      }
      #expect(seen.sorted() == Array(0..<original.count))
      #expect(seen != seen.sorted())
    }
  }

  @Test func smallDataMakeShardsToShareToo() throws {
    #expect(try fixture.writer(shards: .automatic).plan.shards == ["train": 3, "val": 1])
  }

  @Test func namesAndLabelsAreThoseOfWebDataset() throws {
    try fixture.write()
    let reader = try ArchiveReader(path: fixture.output.path + "/train-000001.tar")
    var names: [String] = []
    while let entry = try reader.nextEntry() {
      names.append("\(entry.path)")
      var content: [UInt8] = []
      try reader.appendData(to: &content)
      if names.count % 2 == 0 {
        let image = names[names.count - 2]
        #expect("\(entry.path)" == image.prefix { $0 != "." } + ".cls")
        // Eight images a class: the number in front gives the class.
        let number = try #require(Int(image.prefix(8)))
        #expect(content == Array("\(number / 8)".utf8))
        #expect(image.hasPrefix(String(format: "%08d_image_%d_s.", number, number % 8)))
      } else {
        #expect("\(entry.path)".hasSuffix(content.first == 0x89 ? ".png" : ".jpg"))
      }
    }
    #expect(names.count == 12)
  }

  @Test func shardsDependOnTheSeedOnly() throws {
    try fixture.write()
    let other = try TemporaryDirectory()
    _ = try fixture.writer(workers: 1, to: other.path).run { _ in }
    for file in ["index.json", "train-000000.tar", "train-000003.tar", "val-000000.tar"] {
      #expect(
        try fixture.content(of: file)
          == [UInt8](Data(contentsOf: other.url.appendingPathComponent(file))))
    }
    let different = try TemporaryDirectory()
    let index = try fixture.writer(seed: 2, to: different.path).run { _ in }
    #expect(index.splits != (try ShardIndex(directory: other.path)).splits)
  }

  @Test func bytesDetermineTheNumberOfShards() throws {
    let one = try fixture.writer(shards: .bytes(1 << 30))
    #expect(one.plan.shards == ["train": 1, "val": 1])
    let many = try fixture.writer(shards: .bytes(1))
    #expect(many.plan.shards == ["train": 24, "val": 6])
    let some = try fixture.writer(shards: .bytes(16_000))
    let index = try some.run { _ in }
    let sizes = try #require(index.splits["train"]).shards.map(\.bytes)
    #expect((2..<24).contains(sizes.count))
    #expect(sizes.allSatisfy { (4_000..<32_000).contains($0) }, "\(sizes)")
  }

  @Test func imagesThatCannotBeDecodedAreLeftOutAndListed() throws {
    try fixture.source.write("not an image", to: "train/class 1/image.3's.JPEG")
    try fixture.source.write(Fixture.bytes("420.jpg").prefix(300), to: "val/class 0/0.jpg")
    var last = ShardingProgress()
    let index = try fixture.writer().run { last = $0 }
    let skipped = index.splits.values.flatMap { $0.shards.flatMap(\.skipped) }
    #expect(
      skipped.map(\.sample).sorted() == [
        fixture.source.path + "/train/class 1/image.3's.JPEG",
        fixture.source.path + "/val/class 0/0.jpg",
      ])
    #expect(skipped.map(\.reason).contains("it is neither a JPEG nor a PNG"))
    #expect(Set(last.skipped.map(\.sample)) == Set(skipped.map(\.sample)))
    #expect(last.samples == 30)
    #expect(index.splits["train"]?.samples == 23)
    #expect(index.verify(directory: fixture.output.path) == [])
  }

  /// 22 / (22 / 15) is a little more than 15 as a double.
  @Test func makesAsManyShardsAsWereAskedFor() throws {
    for number in 0..<2 {
      try FileManager.default.removeItem(
        atPath: fixture.source.file("train/class 0/image.\(number)'s.JPEG"))
    }
    let index = try fixture.writer(shards: .count(15)).run { _ in }
    #expect(index.splits["train"]?.shards.count == 15)
    #expect(index.splits["val"]?.shards.count == 5)
  }

  @Test func nothingToDecodeIsAnError() throws {
    let source = try TemporaryDirectory()
    for name in ["a/1.png", "b/1.png"] { try source.write("text", to: "train/" + name) }
    #expect(throws: DatasetError.noSamples(path: source.path)) {
      try ShardWriter(
        source: source.path, output: fixture.output.path, division: .count(1), resize: nil,
        seed: 1, workers: 1
      ).run { _ in }
    }
  }

  @Test func aSecondCallDoesNothingAndALostShardIsMadeAgain() throws {
    let index = try fixture.write()
    var last = ShardingProgress()
    _ = try fixture.writer().run { last = $0 }
    #expect(last.allShards == 0)
    let bytes = try fixture.content(of: "train-000002.tar")
    try FileManager.default.removeItem(atPath: fixture.output.path + "/train-000002.tar")
    #expect(try fixture.writer().run { last = $0 } == index)
    #expect(last.samples == 6)
    #expect(try fixture.content(of: "train-000002.tar") == bytes)
  }

  @Test func workGoesOnWhereItWasBrokenOff() throws {
    let index = try fixture.write()
    let shards = try #require(index.splits["train"]?.shards)
    // As after a crash: no index, three complete shards, of which one was damaged since, and a
    // journal whose last line is torn.
    try FileManager.default.removeItem(atPath: fixture.output.path + "/index.json")
    let journal = try ShardJournal(
      directory: fixture.output.path, plan: try fixture.writer().plan, index: nil)
    for number in 0..<3 {
      try journal.append(shards[number], split: "train", number: number)
    }
    let path = fixture.output.path + "/" + ShardJournal.fileName
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data("{\"split\":\"train\",\"num".utf8))
    var damaged = try fixture.content(of: "train-000001.tar")
    damaged[1000] ^= 1
    try fixture.output.write(damaged, to: "train-000001.tar")

    let error = #expect(throws: DatasetError.self) {
      try ImageDataset.open(path: fixture.output.path, split: "train")
    }
    #expect(error.map { "\($0)" }?.contains("the making of the shards was broken off") == true)
    var last = ShardingProgress()
    #expect(try fixture.writer().run { last = $0 } == index)
    #expect(last.samples == 6 + 6 + 6, "shards 1 and 3, and the validation")
    #expect(index.verify(directory: fixture.output.path) == [])
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func anErrorKeepsWhatIsComplete() throws {
    // A file that goes away between planning and working.
    let writer = try fixture.writer(workers: 1)
    let path = fixture.source.path + "/val/class 2/1.jpg"
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: DatasetError.notFound(path: path)) {
      try writer.run { _ in }
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: fixture.output.path)
    #expect(left.sorted() == [ShardJournal.fileName] + (0..<4).map { "train-00000\($0).tar" })
    try fixture.source.write(bytes, to: "val/class 2/1.jpg")
    var last = ShardingProgress()
    _ = try fixture.writer().run { last = $0 }
    #expect(last.samples == 6)
  }

  @Test func otherOptionsForTheSameDirectoryAreErrors() throws {
    try fixture.write()
    for (writer, reason) in [
      (try fixture.writer(seed: 2), "seed 1, not 2"),
      (try fixture.writer(resize: 20), "not resized, not resized to 20"),
      (try fixture.writer(shards: .count(5)), "train 4, val 1"),
    ] {
      let error = #expect(throws: DatasetError.self) { try writer.run { _ in } }
      #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
    }
    try FileManager.default.moveItem(
      atPath: fixture.source.path + "/train/class 0/image.0's.JPEG",
      toPath: fixture.source.path + "/train/class 0/renamed.jpg")
    #expect(throws: DatasetError.self) { try fixture.write() }
  }

  @Test func splitsOfOtherClassesAreAnErrorThatNamesTheFirst() throws {
    try FileManager.default.moveItem(
      atPath: fixture.source.path + "/val/class 1", toPath: fixture.source.path + "/val/else")
    #expect(
      throws: DatasetError.classesDiffer(
        training: fixture.source.path + "/train", validation: fixture.source.path + "/val",
        index: 1, trainingClass: "class 1", validationClass: "class 2")
    ) { try fixture.write() }
  }

  @Test func resizingShrinksAsPillowDoesAndKeepsSmallImages() throws {
    let source = try ImageDataset.open(path: fixture.source.path, split: "train")
    let index = try (0..<source.count).first {
      try source.bytes(of: $0) == Fixture.bytes("420.jpg")
    }
    let sample = try #require(index)
    let image = try Fixture.decoded("420.jpg", channels: 3)
    let shorter = min(image.width, image.height)
    let reader = ShardSampleReader(source, shorterSide: shorter - 7)
    try reader.read(sample)
    var decoded = DecodedImage()
    try ImageDecoder().decode(reader.bytes, name: "", channels: 3, into: &decoded)
    #expect(min(decoded.width, decoded.height) == shorter - 7)
    var expected = DecodedImage()
    var resampler = Resampler()
    resampler.resize(
      image, region: PixelRectangle(width: image.width, height: image.height),
      toWidth: decoded.width, height: decoded.height,
      window: PixelRectangle(width: decoded.width, height: decoded.height), into: &expected)
    #expect(try reader.bytes == ImageEncoder().jpeg(expected))
    #expect(reader.fileExtension == "jpg")
    // What a JPEG of quality 95 loses of a small and noisy image.
    let differences = zip(decoded.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }
    #expect(differences.reduce(0, +) < 4 * differences.count)

    let keeping = ShardSampleReader(source, shorterSide: shorter)
    try keeping.read(sample)
    #expect(try keeping.bytes == source.bytes(of: sample))
  }

  @Test func rawPixelsBecomePNGsWithoutLoss() throws {
    let cifar = try TemporaryDirectory()
    for file in (1...5).map({ "data_batch_\($0).bin" }) + ["test_batch.bin"] {
      let pixels = (0..<3072).map { UInt8(truncatingIfNeeded: $0 * $0 + file.utf8.count) }
      try cifar.write([1] + pixels, to: file)
    }
    try cifar.write("a\nb\n", to: "batches.meta.txt")
    _ = try ShardWriter(
      source: cifar.path, output: fixture.output.path, division: .count(1), resize: nil, seed: 3,
      workers: 1
    ).run { _ in }
    let original = try ImageDataset.open(path: cifar.path, split: "train")
    let shards = try ImageDataset.open(path: fixture.output.path, split: "train")
    var (a, b) = (DecodedImage(), DecodedImage())
    try ImageDecoder().decode(
      original.bytes(of: 0), encoding: original.encoding, name: "", channels: 3, into: &a)
    try ImageDecoder().decode(shards.bytes(of: 0), name: "", channels: 3, into: &b)
    #expect(a == b)
    #expect(shards.labels == [1, 1, 1, 1, 1])
  }

  @Test(.enabled(if: Python.has("webdataset", "numpy", "PIL"), "no Python with webdataset"))
  func webdatasetReadsThem() throws {
    let index = try fixture.write()
    let script = """
      import sys, hashlib, webdataset
      for sample in webdataset.WebDataset(sys.argv[1], shardshuffle=False):
        image = sample.get("jpg") or sample["png"]
        print(sample["__key__"], sample["cls"].decode(), hashlib.sha256(image).hexdigest())
      for image, label in webdataset.WebDataset(sys.argv[1], shardshuffle=False).decode(
          "rgb8").to_tuple("jpg;png", "cls"):
        assert image.ndim == 3 and isinstance(label, int)
      """
    let output = try Python.run(script, fixture.output.path + "/train-{000000..000003}.tar")
    let lines = output.split(separator: "\n")
    #expect(lines.count == 24)
    let shards = try ShardSource(path: fixture.output.path, splits: ["train"])
    for (sample, line) in lines.enumerated() {
      let fields = line.split(separator: " ")
      #expect(shards.name(of: sample).hasSuffix("key \(fields[0])"))
      #expect(fields[1] == "\(shards.labels[sample])")
    }
    #expect(index.splits["train"]?.samples == 24)
  }
}
