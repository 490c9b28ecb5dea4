import Tensors
import Testing

@testable import Datasets

struct FramingTests {
  @Test(
    "The centre of the resized image is torchvision's",
    arguments: [(32, 28), (36, 31), (41, 41), (50, 50)])
  func centerIsTorchvisions(shorterSide: Int, imageSize: Int) throws {
    var random = RandomStream(seed: 1, purpose: .augmentation)
    let view = Framing.center(shorterSide: shorterSide)
      .view(ofWidth: 41, height: 53, imageSize: imageSize, random: &random)
    var result = DecodedImage()
    var resampler = Resampler()
    try resampler.resize(
      Fixture.decoded("photo.png", channels: 3), region: view.region,
      toWidth: view.width, height: view.height, window: view.window, into: &result)
    #expect(result.pixels == (try Fixture.bytes("center.\(shorterSide).\(imageSize).rgb")))
  }

  @Test func halfPixelsRoundToEven() {
    #expect([1, 3, 5, 7, 4].map(Framing.centerOffset) == [0, 2, 2, 4, 2])
  }

  @Test func randomRegionsCoverTheirRangesAndStayInside() {
    let framing = Framing.randomResized(area: 0.08...1, aspect: 3.0 / 4...4.0 / 3)
    var areas: [Double] = []
    var aspects: [Double] = []
    for index in 0..<4000 {
      var random = RandomStream(seed: 3, purpose: .augmentation, index: index)
      let view = framing.view(ofWidth: 500, height: 400, imageSize: 64, random: &random)
      let region = view.region
      #expect(view.width == 64 && view.height == 64)
      #expect(region.x >= 0 && region.x + region.width <= 500)
      #expect(region.y >= 0 && region.y + region.height <= 400)
      areas.append(Double(region.width * region.height) / 200_000)
      aspects.append(Double(region.width) / Double(region.height))
    }
    // Rounding to whole pixels moves the limits a little.
    #expect((0.07...0.09).contains(areas.min()!) && areas.max()! > 0.9)
    #expect(aspects.allSatisfy { (0.74...1.35).contains($0) })
    // Uniform in the logarithm: as often wide as tall, but for large areas that only fit wide.
    let wide = zip(areas, aspects).filter { $0 < 0.5 && $1 > 1 }.count
    let small = areas.filter { $0 < 0.5 }.count
    #expect(abs(Double(wide) / Double(small) - 0.5) < 0.05)
  }

  @Test func anImageOfExtremeShapeGivesItsCentre() {
    let framing = Framing.randomResized(area: 0.9...1, aspect: 3.0 / 4...4.0 / 3)
    var random = RandomStream(seed: 1, purpose: .augmentation)
    let wide = framing.view(ofWidth: 1000, height: 30, imageSize: 8, random: &random)
    #expect(wide.region == PixelRectangle(x: 480, y: 0, width: 40, height: 30))
    let tall = framing.view(ofWidth: 30, height: 1000, imageSize: 8, random: &random)
    #expect(tall.region == PixelRectangle(x: 0, y: 480, width: 30, height: 40))
  }
}
