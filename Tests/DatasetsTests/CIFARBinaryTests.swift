import Foundation
import Support
import TestSupport
import Testing

@testable import Datasets

struct CIFARBinaryTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// A record whose pixels count from `first` on, differently in each plane.
  private func record(_ labels: [UInt8], first: Int) -> [UInt8] {
    labels + (0..<3072).map { UInt8(truncatingIfNeeded: first + $0 + 50 * ($0 / 1024)) }
  }

  private func writeCIFAR10(in place: String = "") throws {
    for batch in 0..<5 {
      try directory.write(
        (0...batch).flatMap { record([UInt8($0 % 2)], first: 10 * batch + $0) },
        to: place + "data_batch_\(batch + 1).bin")
    }
    try directory.write(record([1], first: 99), to: place + "test_batch.bin")
    try directory.write("airplane\nautomobile\n\n", to: place + "batches.meta.txt")
  }

  @Test(arguments: ["", "cifar-10-batches-bin/"])
  func samplesAreTheRecordsInTheirOrder(place: String) throws {
    try writeCIFAR10(in: place)
    #expect(try ImageFormat(detecting: directory.path, splits: ["train"]) == .cifar10)
    let source = try ImageDataset.open(path: directory.path, split: "train")
    #expect(source.classes == ["airplane", "automobile"])
    #expect(source.labels == [0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0])
    #expect(source.name(of: 7).hasSuffix("/data_batch_4.bin, record 1"))
    #expect(try source.bytes(of: 7) == Array(record([1], first: 31).dropFirst()))
    for split in ["val", "validation", "test"] {
      let test = try ImageDataset.open(path: directory.path, split: split)
      #expect(test.labels == [1])
    }
  }

  @Test func planesBecomePixels() throws {
    try writeCIFAR10()
    let source = try ImageDataset.open(path: directory.path, split: "test")
    var image = DecodedImage()
    let decode = { (bytes: [UInt8], channels: Int) in
      try ImageDecoder().decode(
        bytes, encoding: source.encoding, name: "it", channels: channels, into: &image)
    }
    let planes = try source.bytes(of: 0)
    try decode(planes, 3)
    #expect(image.width == 32 && image.height == 32)
    for (pixel, channel) in [(0, 0), (0, 1), (0, 2), (1, 0), (33, 1), (1023, 2)] {
      #expect(image.pixels[3 * pixel + channel] == planes[1024 * channel + pixel])
    }
    try decode(planes, 1)
    #expect(image.pixels.count == 1024)
    #expect(
      throws: DatasetError.undecodable(sample: "it", reason: "it has 3071 bytes instead of 3072")
    ) { try decode(planes.dropLast(), 3) }
  }

  @Test(arguments: ["", "cifar-100-binary/"])
  func cifar100HasItsFineLabels(place: String) throws {
    try directory.write(
      record([1, 2], first: 0) + record([0, 1], first: 5), to: place + "train.bin")
    try directory.write(record([1, 0], first: 7), to: place + "test.bin")
    try directory.write("apple\nbear\nbed\n", to: place + "fine_label_names.txt")
    try directory.write("fruit\nanimal\n", to: place + "coarse_label_names.txt")
    let source = try ImageDataset.open(path: directory.path, split: "train")
    #expect(source.classes == ["apple", "bear", "bed"])
    #expect(source.labels == [2, 1])
    #expect(try source.bytes(of: 1) == Array(record([], first: 5)))
    #expect(try ImageDataset.open(path: directory.path, split: "val").labels == [0])
  }

  @Test func damagedFilesAreErrorsWithFileAndOffset() throws {
    try writeCIFAR10()
    let path = directory.path + "/data_batch_3.bin"
    func openingFails(_ reason: String, at offset: Int) {
      let error = #expect(throws: DatasetError.self) {
        try ImageDataset.open(path: directory.path, split: "train")
      }
      guard case .file(.damaged(path, offset, let text)) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(text.contains(reason))
    }
    try directory.write(record([0], first: 0) + [1, 2, 3], to: "data_batch_3.bin")
    openingFails("within a record", at: 3073)
    try directory.write([], to: "data_batch_3.bin")
    openingFails("within a record", at: 0)
    try directory.write(record([0], first: 0) + record([2], first: 0), to: "data_batch_3.bin")
    openingFails("label 2", at: 3073)
  }

  @Test(arguments: ["batches.meta.txt", "data_batch_1.bin", "data_batch_3.bin"])
  func aFileThatIsMissingIsNamed(name: String) throws {
    try writeCIFAR10(in: "cifar-10-batches-bin/")
    try FileManager.default.removeItem(atPath: directory.file("cifar-10-batches-bin/" + name))
    let error = #expect(throws: DatasetError.self) {
      try ImageDataset.open(path: directory.path, split: "train")
    }
    #expect(
      error
        == .incompleteCIFAR(
          path: directory.file("cifar-10-batches-bin"), missing: name,
          archive: "cifar-10-binary.tar.gz"))
    #expect(error.map { "\($0)" }?.contains("has no \(name), which is part of CIFAR's") == true)
  }

  @Test func cifar100IsKnownWithoutTheNamesOfItsClasses() throws {
    for name in ["train.bin", "test.bin"] {
      try directory.write(record([1, 2], first: 0), to: name)
    }
    #expect(
      throws: DatasetError.incompleteCIFAR(
        path: directory.path, missing: "fine_label_names.txt", archive: "cifar-100-binary.tar.gz")
    ) { try ImageDataset.open(path: directory.path, split: "train") }
  }

  @Test func deeperFilesAreNamed() throws {
    try writeCIFAR10(in: "data/cifar/cifar-10-batches-bin/")
    let place = "data/cifar/cifar-10-batches-bin"
    let error = #expect(throws: DatasetError.self) {
      try ImageDataset.open(path: directory.path, split: "train")
    }
    let form = OtherForm.deeperCIFAR(RawPath(place), in: directory.path)
    #expect(error == .otherForm(path: directory.path, form))
    #expect(error.map { "\($0)" }?.contains("data.path=\(directory.file(place))") == true)
    #expect(throws: DatasetError.otherForm(path: directory.file(place), .binaryCIFAR)) {
      try ImageDataset.open(path: directory.file(place), splits: ["train"], format: .imageFolder)
    }
  }

  @Test func filesOfAnotherSizeThanPublishedAreNamed() throws {
    try writeCIFAR10()
    func notes(_ split: String) throws -> [String] {
      try ImageDataset.open(path: directory.path, split: split).notes
        .map { "\($0.title) \($0.text)" }
    }
    #expect(
      try notes("train") == [
        "other size \(directory.path):train: data_batch_1.bin has 1, data_batch_2.bin has 2,"
          + " data_batch_3.bin has 3, data_batch_4.bin has 4, data_batch_5.bin has 5 of the 10000"
          + " records that a published file has"
      ])
    #expect(truncate(directory.file("test_batch.bin"), 10_000 * 3073) == 0)
    #expect(try notes("test") == [])
    #expect(truncate(directory.file("test_batch.bin"), 9_999 * 3073) == 0)
    #expect(try notes("test").count == 1)
  }

  @Test func whatIsNotThereIsAnError() throws {
    try writeCIFAR10()
    #expect(
      throws: DatasetError.missingSplit(
        path: directory.path, splits: ["dev"], available: ["train", "test"])
    ) { try ImageDataset.open(path: directory.path, split: "dev") }
    try directory.write("\n", to: "batches.meta.txt")
    #expect(throws: DatasetError.self) {
      try ImageDataset.open(path: directory.path, split: "train")
    }
  }
}
