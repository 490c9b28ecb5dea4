import Foundation
import TestSupport
import Testing

@testable import Datasets

/// A small data set and the shards that are made of it.
final class ShardFixture {
  let source: TemporaryDirectory
  let output: TemporaryDirectory

  /// 24 training images in 3 classes and 6 for validation, JPEGs and PNGs.
  init() throws {
    source = try TemporaryDirectory()
    output = try TemporaryDirectory()
    let files = ["420.jpg", "444.jpg", "gray.jpg", "rgb.png", "cmyk.jpg", "palette.png"]
    for label in 0..<3 {
      for number in 0..<8 {
        try source.write(
          Fixture.bytes(files[(label + number) % files.count]),
          to: "train/class \(label)/image.\(number)'s.JPEG")
      }
      for number in 0..<2 {
        try source.write(
          Fixture.bytes(files[label]), to: "val/class \(label)/\(number).jpg")
      }
    }
  }

  func writer(
    shards: ShardWriter.Division = .count(4), resize: Int? = nil, seed: UInt64 = 1,
    workers: Int = 2, to directory: String? = nil
  ) throws -> ShardWriter {
    try ShardWriter(
      source: source.path, output: directory ?? output.path, division: shards, resize: resize,
      seed: seed, workers: workers)
  }

  @discardableResult
  func write() throws -> ShardIndex { try writer().run { _ in } }

  func content(of file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: output.url.appendingPathComponent(file)))
  }
}

/// Where a sample of a shard came from: the number in front of its key.
func sourceIndex(_ source: ShardSource, _ sample: Int) throws -> Int {
  let key = try #require(source.name(of: sample).split(separator: " ").last)
  return try #require(Int(key.prefix { $0 != "_" }))
}
