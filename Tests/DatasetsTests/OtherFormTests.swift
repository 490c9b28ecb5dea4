import TestSupport
import Testing

@testable import Datasets

/// What people are told who have a well-known data set in a form that cannot be trained on.
struct OtherFormTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func found(_ files: [String], isArchive: Bool) throws -> OtherForm? {
    let path = isArchive ? "data.tar" : "data"
    var tar = TarFile()
    for file in files {
      tar.addFile(file, "x")
      if !isArchive { try directory.write("x", to: "data/" + file) }
    }
    if isArchive { try directory.write(tar.closed, to: path) }
    do {
      _ = try ImageDataset.open(
        path: directory.file(path), splits: ImageDataset.validationSplits)
    } catch DatasetError.otherForm(_, let form) {
      return form
    }
    return nil
  }

  @Test(
    arguments: [
      (["cifar-10-batches-py/data_batch_1", "cifar-10-batches-py/batches.meta"], .pickledCIFAR),
      (["data_batch_1", "batches.meta"], .pickledCIFAR),
      (["train", "test", "meta"], .pickledCIFAR),
      (["data_batch_1.bin"], .partOfCIFAR),
      (["data_batch_1.zip"], .archives), (["cifar-10-binary.tar.gz"], .archives),
      (["a-000000.tar", "a-000001.tar"], .shardsWithoutIndex),
      (["n01440764.tar", "n01443537.tar"], .tarOfTars), (["val/n01440764.tar"], .tarOfTars),
      (["val/ILSVRC2012_val_00000001.JPEG"], .flatSplit),
      (["val/images/val_0.JPEG", "val/val_annotations.txt"], .tinyImageNet),
    ] as [([String], OtherForm)])
  func directories(files: [String], form: OtherForm) throws {
    #expect(try found(files, isArchive: false) == form)
  }

  @Test(
    arguments: [
      (["cifar-10-batches-py/data_batch_1", "cifar-10-batches-py/batches.meta"], .pickledCIFAR),
      (
        ["cifar-10-batches-bin/data_batch_1.bin", "cifar-10-batches-bin/batches.meta.txt"],
        .packedCIFAR
      ), (["./n01440764.tar", "./n01443537.tar"], .tarOfTars),
      (["val/1.JPEG"], .flatSplit),
    ] as [([String], OtherForm)])
  func archives(files: [String], form: OtherForm) throws {
    #expect(try found(files, isArchive: true) == form)
  }

  @Test func whatIsBesideGoodSplitsDoesNotMatter() throws {
    let files = ["val/a/1.png", "train.zip", "x.tar", "meta", "val/README.md"]
    #expect(try found(files, isArchive: false) == nil)
    #expect(try found(files, isArchive: true) == nil)
  }

  @Test func zipsAreNamed() throws {
    try directory.write("PK\u{3}\u{4}…", to: "data.zip")
    let path = directory.file("data.zip")
    let error = #expect(throws: DatasetError.otherForm(path: path, .zip)) {
      try ImageDataset.open(path: path, split: "train")
    }
    #expect(
      error.map { "\($0)" }
        == "\(path): is a zip archive. Unpack it, and give the directory that comes out.")
  }
}
