import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Shards that another program made.
struct ShardIndexerTests {
  private let directory: TemporaryDirectory
  private var path: String { directory.path }

  init() throws { directory = try TemporaryDirectory() }

  private func write(_ name: String, _ fill: (inout TarFile) throws -> Void) throws {
    var tar = TarFile()
    try fill(&tar)
    try directory.write(tar.closed, to: name)
  }

  private func addSample(_ tar: inout TarFile, _ key: String, _ label: String) throws {
    tar.addFile(key + ".cls", label)
    tar.addFile(key + ".png", try Fixture.bytes("1-bit.png"))
  }

  private func index() throws -> ShardIndexer.Report {
    try ShardIndexer(directory: path).run { _, _ in }
  }

  private func expectRefused(_ reason: String) {
    let error = #expect(throws: DatasetError.self) { try index() }
    #expect(error.map { "\($0)" }?.contains(reason) == true, "\(String(describing: error))")
    #expect(!FileManager.default.fileExists(atPath: path + "/index.json"))
  }

  @Test func numbersAmongTheLabelsAreClassesInTheirOrder() throws {
    try write("imagenet-train-000000.tar") { tar in
      tar.addDirectory("./")
      tar.addFile("./n02/x.1.json", #"{"label": 10, "other": "text"}"#)
      try addSample(&tar, "./a/000001", "10")
      try addSample(&tar, "./a/000002", "2\n")
    }
    try write("imagenet-train-000001.tar") { tar in
      tar.addFile("k1.JPG", try Fixture.bytes("gray.jpg"))
      tar.addFile("k1.txt", "a caption")
      tar.addFile("k1.json", #"{"label": 7}"#)
      tar.addFile("k2.webp", "an image of another format")
      tar.addFile("k2.cls", "7")
    }
    try write("imagenet-validation-000000.tar") { try addSample(&$0, "v", "2") }
    let report = try index()
    #expect(report.classFile == nil && report.index.classes == ["2", "7", "10"])
    #expect(
      "\(report.passedOver)" == "1 .json (no image), 1 .txt (no image),"
        + " 1 .webp (not read: convert to JPEG or PNG), 1 with a label and no image that is read")
    let train = try ShardSource(path: path, splits: ["train"])
    #expect(train.labels == [2, 0, 1] && train.shardSizes == [2, 1])
    #expect(try train.bytes(of: 1) == Fixture.bytes("1-bit.png"))
    #expect(try train.bytes(of: 2) == Fixture.bytes("gray.jpg"))
    #expect(train.name(of: 0).hasSuffix("/imagenet-train-000000.tar, key ./a/000001"))
    #expect(try ShardSource(path: path, splits: ["val"]).labels == [0])
    let read = try ShardIndex(directory: path)
    #expect(read == report.index && read.verify(directory: path) == [])
    // Once more, as after a shard was added.
    #expect(try index().index == read)
  }

  @Test func aFileMayNameTheClasses() throws {
    try directory.write("cat\ndög\n\nowl\n", to: "classes.txt")
    try write("train-0.tar") { tar in
      try addSample(&tar, "1", "2")
      try addSample(&tar, "2", "dög")
    }
    try write("test-0.tar") { try addSample(&$0, "1", "0") }
    let report = try index()
    #expect(report.classFile == "classes.txt" && report.index.classes == ["cat", "dög", "owl"])
    #expect(try ShardSource(path: path, splits: ["train"]).labels == [2, 1])
    #expect(try ShardSource(path: path, splits: ImageDataset.validationSplits).labels == [0])
    #expect(report.index.verify(directory: path) == [])
  }

  @Test func labelsOfNoClassAreErrors() throws {
    try write("train-0.tar") { try addSample(&$0, "1", "cat") }
    expectRefused("the label 'cat' is no number from 0")
    try write("train-0.tar") { try addSample(&$0, "1", "-1") }
    expectRefused("the label -1 is no number from 0")
    try directory.write("cat\n", to: "classes.txt")
    try write("train-0.tar") { try addSample(&$0, "key", "1") }
    expectRefused("'key' has the label 1, which is none of the 1 classes")
  }

  @Test func samplesThatAreNotWholeAreErrors() throws {
    expectRefused("no file whose name ends in .tar")
    try write("train-0.tar") { $0.addFile("key.png", "x") }
    expectRefused("'key' has no label")
    try write("train-0.tar") { tar in
      try addSample(&tar, "key", "1")
      tar.addFile("key.jpg", "x")
    }
    expectRefused("'key' has two images")
    try write("train-0.tar") { tar in
      tar.addFile("key.cls", "1")
      tar.addFile("key.cls", "2")
    }
    expectRefused("key.cls comes twice")
    try write("train-0.tar") { $0.addFile("key.cls", "1") }
    expectRefused("'train' have no samples")
    try write("0.tar") { try addSample(&$0, "key", "1") }
    expectRefused("0.tar: is no shard for training: its name does not say which split")
  }

  @Test func compressedShardsAreRefused() throws {
    try write("train-0.tar") { try addSample(&$0, "key", "1") }
    try #require(ProgramRun(["gzip", directory.file("train-0.tar")]).status == 0)
    try FileManager.default.moveItem(
      atPath: directory.file("train-0.tar.gz"), toPath: directory.file("train-0.tar"))
    expectRefused("it is compressed")
  }

  @Test func shardsWithTheirOwnIndexAreLeftAlone() throws {
    let fixture = try ShardFixture()
    try fixture.write()
    let bytes = try fixture.content(of: "index.json")
    #expect(throws: DatasetError.self) { try ShardIndexer(directory: fixture.output.path) }
    #expect(try fixture.content(of: "index.json") == bytes)
    try write("train-0.tar") { try addSample(&$0, "1", "0") }
    _ = try index()
    #expect(throws: DatasetError.otherShards(path: path, reason: "made by another program")) {
      try fixture.writer(to: path).run { _ in }
    }
  }

  /// `webdataset` writes pax headers, and `label` also as JSON.
  @Test(.enabled(if: Python.has("webdataset", "numpy", "PIL"), "no Python with webdataset"))
  func whatWebDatasetWritesIsRead() throws {
    let script = """
      import sys, webdataset, numpy
      for split, count in (("train", 30), ("val", 5)):
        with webdataset.ShardWriter(sys.argv[1] + f"/set-{split}-%06d.tar", maxcount=10) as sink:
          for i in range(count):
            sample = {"__key__": f"sub/sämple{i:04d}" + "x" * (i % 3 * 60), "cls": i % 5}
            if i % 2: sample = {"__key__": sample["__key__"], "json": {"label": i % 5, "id": "ü"}}
            sample["png"] = numpy.full((4, 4, 3), i / 30)
            sink.write(sample)
      """
    try Python.run(script, path)
    let report = try index()
    #expect(report.index.classes == ["0", "1", "2", "3", "4"])
    #expect(report.index.splits["train"]?.shards.map(\.samples) == [10, 10, 10])
    let source = try ShardSource(path: path, splits: ["train"])
    var image = DecodedImage()
    for sample in 0..<30 {
      #expect(source.labels[sample] == Int32(sample % 5))
      try ImageDecoder().decode(source.bytes(of: sample), name: "", channels: 3, into: &image)
      #expect(image.pixels.first == UInt8(Double(sample) / 30 * 255))
    }
    #expect(report.index.verify(directory: path) == [])
  }
}
