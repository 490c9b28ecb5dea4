import Testing

@testable import Datasets

struct ResamplerTests {
  @Test(
    "Resized pixels are Pillow's",
    arguments: [(20, 26), (41, 17), (9, 53), (70, 90), (13, 80)])
  func resizedPixelsArePillows(width: Int, height: Int) throws {
    let all = PixelRectangle(width: 41, height: 53)
    let color = try resize(channels: 3, region: all, width: width, height: height)
    #expect(color == (try Fixture.bytes("resize.\(width).\(height).rgb")))
    let gray = try resize(channels: 1, region: all, width: width, height: height)
    #expect(gray == (try Fixture.bytes("resize.\(width).\(height).gray")))
    let region = PixelRectangle(x: 5, y: 3, width: 33, height: 37)
    let part = try resize(channels: 3, region: region, width: width, height: height)
    #expect(part == (try Fixture.bytes("region.\(width).\(height).rgb")))
  }

  @Test func aWindowIsAPartOfTheWhole() throws {
    let photo = try Fixture.decoded("photo.png", channels: 3)
    let whole = DecodedImage(
      width: 20, height: 26, channels: 3, pixels: try Fixture.bytes("resize.20.26.rgb"))
    let window = PixelRectangle(x: 3, y: 7, width: 11, height: 5)
    var part = DecodedImage()
    var resampler = Resampler()
    resampler.resize(
      photo, region: PixelRectangle(width: 41, height: 53), toWidth: 20, height: 26,
      window: window, into: &part)
    for y in 0..<window.height {
      let start = whole.offset(x: window.x, y: window.y + y)
      let row = part.offset(x: 0, y: y)
      #expect(part.pixels[row..<row + 33] == whole.pixels[start..<start + 33])
    }
  }

  @Test func anExtremeShapeCostsOnlyItsWindow() {
    // As a whole the result would have 20 billion pixels.
    let strip = DecodedImage(
      width: 100_000, height: 1, channels: 1, pixels: Array(repeating: 77, count: 100_000))
    var result = DecodedImage()
    var resampler = Resampler()
    resampler.resize(
      strip, region: PixelRectangle(width: 100_000, height: 1), toWidth: 100_000_000, height: 200,
      window: PixelRectangle(x: 50_000_000, width: 200, height: 200), into: &result)
    #expect(result.pixels == Array(repeating: 77, count: 40_000))
  }

  private func resize(
    channels: Int, region: PixelRectangle, width: Int, height: Int
  ) throws -> [UInt8] {
    var result = DecodedImage()
    var resampler = Resampler()
    try resampler.resize(
      Fixture.decoded("photo.png", channels: channels), region: region,
      toWidth: width, height: height, window: PixelRectangle(width: width, height: height),
      into: &result)
    return result.pixels
  }
}
