import TestSupport
import Testing

@testable import Datasets

struct ImageFormatTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func found() throws -> [ImageFormat] {
    try ImageFormat.found(at: directory.path, splits: ["train", "val"])
  }

  private func detected() throws -> ImageFormat {
    try ImageFormat(detecting: directory.path, splits: ["train", "val"])
  }

  @Test func filesOfOneFormatDecide() throws {
    #expect(try detected() == .imageFolder)
    try directory.write("", to: "index.json")
    #expect(try detected() == .shards)
    try directory.makeDirectory("other")
    #expect(try detected() == .shards)
  }

  @Test(arguments: [
    ("index.json", ImageFormat.shards), ("index.partial.jsonl", .shards),
    ("batches.meta.txt", .cifar10), ("cifar-100-binary/fine_label_names.txt", .cifar100),
  ])
  func thoseOfSeveralAreAnErrorThatNamesThem(file: String, format: ImageFormat) throws {
    try directory.write("", to: file)
    try directory.makeDirectory("val")
    #expect(try found() == [format, .imageFolder])
    let error = #expect(throws: DatasetError.self) { try detected() }
    #expect(
      error
        == .ambiguousFormat(path: directory.path, formats: [format.rawValue, "image-folder"]))
    #expect(error.map { "\($0)" }?.contains("data.format=\(format.rawValue)") == true)
  }

  @Test func bothOfCIFARMayLieSideBySide() throws {
    try directory.write("", to: "cifar-10-batches-bin/batches.meta.txt")
    try directory.write("", to: "cifar-100-binary/fine_label_names.txt")
    #expect(try found() == [.cifar10, .cifar100])
  }

  @Test func aSingleFileOfRecordsMayBeAnotherPrograms() throws {
    try directory.write("", to: "train.bin")
    #expect(try detected() == .imageFolder)
    try directory.write("", to: "test.bin")
    #expect(try detected() == .cifar100)
  }
}
