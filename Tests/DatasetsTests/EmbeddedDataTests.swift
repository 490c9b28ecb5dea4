import Foundation
import TestSupport
import Testing

@testable import Datasets

struct EmbeddedDataTests {
  @Test(arguments: [("train", 450), ("val", 50)])
  func holdsTheSameNumberOfEveryDigit(split: String, imagesPerDigit: Int) throws {
    let source = try ImageDataset.open(path: EmbeddedData.mnistPath(), split: split)
    #expect(source.classes == (0...9).map(String.init))
    #expect(source.labels == (0...9).flatMap { Array(repeating: $0, count: imagesPerDigit) })
  }

  @Test func everyImageIs28PixelsSquareAndGray() throws {
    let source = try ImageDataset.open(path: EmbeddedData.mnistPath(), split: "val")
    let decoder = ImageDecoder()
    var image = DecodedImage()
    var brightness = 0
    for index in 0..<source.count {
      try decoder.decode(
        source.bytes(of: index), name: source.name(of: index), channels: 1, into: &image)
      #expect(image.width == 28 && image.height == 28)
      brightness += image.pixels.reduce(0) { $0 + Int($1) }
    }
    // MNIST's mean is 0.1307 of the full range; a sample of 500 images comes close.
    let mean = Double(brightness) / Double(500 * 28 * 28 * 255)
    #expect(abs(mean - 0.1307) < 0.005)
  }

  @Test func isTheFirstOfThePlacesThatHasIt() throws {
    let directory = try TemporaryDirectory()
    try directory.write("x", to: "second/Resources/data.txt")
    let places = ["first", "second", "third"].map(directory.url.appendingPathComponent)
    let path = try EmbeddedData.resource("data.txt", places: places)
    #expect(path == places[1].path + "/Resources/data.txt")
  }

  @Test func namesThePlacesItSearched() throws {
    let nowhere = try TemporaryDirectory().url.appendingPathComponent("nowhere")
    let error = #expect(throws: DatasetError.self) {
      try EmbeddedData.resource("data.txt", places: [nowhere])
    }
    #expect("\(try #require(error))".contains(nowhere.path + "/Resources/data.txt"))
  }
}
