import TestSupport
import Testing

@testable import Datasets

struct ImageTraitsTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func write(_ name: String, width: Int, height: Int) throws {
    let image = DecodedImage(
      width: width, height: height, channels: 3,
      pixels: [UInt8](repeating: 9, count: 3 * width * height))
    try directory.write(ImageEncoder().png(image), to: "train/a/\(name).png")
  }

  private func traits() throws -> ImageTraits {
    try ImageTraits(of: ImageDataset.open(path: directory.path, split: "train"))
  }

  @Test func theMedianOfTheShorterSidesCounts() throws {
    try write("1", width: 200, height: 40)
    try write("2", width: 50, height: 60)
    try write("3", width: 500, height: 400)
    #expect(try traits() == ImageTraits(side: 50, isGray: false, classes: 1))
  }

  @Test func oneImageInColourIsEnough() throws {
    let digits = try DigitSubset("train", counts: [2, 2])
    try digits.write(to: directory, split: "train")
    #expect(try traits() == ImageTraits(side: 28, isGray: true, classes: 2))
    try write("x", width: 28, height: 28)
    #expect(try traits() == ImageTraits(side: 28, isGray: false, classes: 3))
  }

  @Test func damagedImagesArePassedOverUnlessAllAre() throws {
    try directory.write("no image", to: "train/a/0.png")
    let error = #expect(throws: DatasetError.self) { try traits() }
    #expect("\(try #require(error))".contains("a/0.png: cannot be decoded"))
    try write("1", width: 30, height: 40)
    #expect(try traits().side == 30)
  }

  @Test func aLargeSetIsLookedAtFromEndToEnd() throws {
    for index in 100..<400 {
      try write("\(index)", width: index < 200 ? 10 : 20, height: 30)
    }
    #expect(try traits().side == 20)
  }
}
