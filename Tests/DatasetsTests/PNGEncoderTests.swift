import TestSupport
import Testing

@testable import Datasets

struct PNGEncoderTests {
  static let sizes = [(1, 1), (7, 3), (2, 130), (64, 64)]

  /// Noise, which compression makes larger.
  private func pixels(width: Int, height: Int) -> [UInt8] {
    var random = SeededGenerator(seed: UInt64(100 * width + height))
    return (0..<3 * width * height).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  @Test(arguments: sizes) func keepsEveryPixel(width: Int, height: Int) throws {
    let pixels = pixels(width: width, height: height)
    let file = PNGEncoder.encode(pixels, width: width, height: height)
    let image = try DecodedImage(ofFile: file)
    #expect((image.width, image.height) == (width, height) && image.pixels == pixels)
  }

  @Test(.enabled(if: Python.has("PIL"), "no Python with pillow"), arguments: sizes)
  func pillowReadsThePixels(width: Int, height: Int) throws {
    let directory = try TemporaryDirectory()
    let pixels = pixels(width: width, height: height)
    try directory.write(
      PNGEncoder.encode(pixels, width: width, height: height), to: "a.png")
    let script = """
      import sys
      from PIL import Image
      image = Image.open(sys.argv[1])
      print(image.format, image.mode, *image.size, image.tobytes().hex())
      """
    let hex = pixels.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(
      try Python.run(script, directory.file("a.png")) == "PNG RGB \(width) \(height) \(hex)\n")
  }
}
