import Foundation
import Testing

@testable import Datasets

/// Files that Fixtures/make_fixtures.py made with Pillow.
enum Fixture {
  static func bytes(_ name: String) throws -> [UInt8] {
    let url = Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(name)")
    return [UInt8](try Data(contentsOf: url))
  }

  static func decoded(_ name: String, channels: Int) throws -> DecodedImage {
    var image = DecodedImage()
    try ImageDecoder().decode(bytes(name), name: name, channels: channels, into: &image)
    return image
  }
}

/// Encoded images in memory, all of one class.
struct ImagesInMemory: ImageSource {
  let location = "memory"
  let classes = ["only"]
  let images: [[UInt8]]
  var labels: [Int32] { Array(repeating: 0, count: images.count) }

  func name(of index: Int) -> String { "image \(index)" }

  func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    bytes = images[index]
  }
}
