import Foundation
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
    #expect(try ImageFormat(detecting: directory.path) == .cifar10)
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
      guard case .damagedFile(path, offset, let text) = error else {
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
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: DatasetError.unreadable(path: path, reason: "No such file or directory")) {
      try ImageDataset.open(path: directory.path, split: "train")
    }
  }

  @Test func whatIsNotThereIsAnError() throws {
    #expect(throws: DatasetError.notFound(path: directory.path + "/batches.meta.txt")) {
      try CIFARBinary(.cifar10, path: directory.path, splits: ["train"])
    }
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
