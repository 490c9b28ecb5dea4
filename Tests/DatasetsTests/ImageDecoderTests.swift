import Testing

@testable import Datasets

struct ImageDecoderTests {
  @Test(
    "Pixels are Pillow's",
    arguments: [
      "444.jpg", "422.jpg", "420.jpg", "440.jpg", "progressive.jpg", "restart.jpg", "gray.jpg",
      "cmyk.jpg", "ycck.jpg", "extraneous.jpg", "rgb.png", "rgba.png", "gray.png",
      "gray-alpha.png", "1-bit.png", "palette.png", "palette-2-bit.png", "gamma.png",
      "deep.png", "deep-gray-alpha.png", "deep-rgba.png", "tagged.jpg", "tagged.png",
    ])
  func pixelsArePillows(name: String) throws {
    let color = try Fixture.decoded(name, channels: 3)
    #expect(color.width == 27 && color.height == 19 && color.channels == 3)
    #expect(color.pixels == (try Fixture.bytes(name + ".rgb")))
    let gray = try Fixture.decoded(name, channels: 1)
    #expect(gray.pixels == (try Fixture.bytes(name + ".gray")))
  }

  @Test func sixteenBitsAreCutDownToEight() throws {
    let image = try Fixture.decoded("deep-gray.png", channels: 1)
    #expect(image.pixels == (try Fixture.bytes("deep-gray.png.gray")))
  }

  @Test func fastDecodingKeepsTheShorterSideLongEnough() throws {
    let (exact, bytes) = try (
      Fixture.decoded("420.jpg", channels: 3), Fixture.bytes("420.jpg")
    )
    // 27 x 19 pixels.
    for (side, width, height) in [(20, 27, 19), (10, 27, 19), (9, 14, 10), (4, 7, 5), (2, 4, 3)] {
      var image = DecodedImage()
      try ImageDecoder(shorterSide: side)
        .decode(bytes, name: "420.jpg", channels: 3, into: &image)
      #expect((image.width, image.height) == (width, height))
      let means = [exact, image].map {
        $0.pixels.reduce(0.0) { $0 + Double($1) } / Double($0.pixels.count)
      }
      #expect(abs(means[0] - means[1]) < 10)
    }
    let png = try Fixture.bytes("rgb.png")
    var image = DecodedImage()
    try ImageDecoder(shorterSide: 2).decode(png, name: "rgb.png", channels: 3, into: &image)
    #expect(image.pixels == (try Fixture.bytes("rgb.png.rgb")))
  }

  @Test func oneDecoderServesImagesOfAnySizeAndKind() throws {
    let decoder = ImageDecoder()
    var image = DecodedImage()
    for name in ["photo.png", "gray.jpg", "cmyk.jpg", "rgba.png", "photo.png", "420.jpg"] {
      for channels in [3, 1] {
        try decoder.decode(
          Fixture.bytes(name), name: name, channels: channels, into: &image)
        #expect(image == (try Fixture.decoded(name, channels: channels)))
      }
    }
  }

  @Test func errorsNameTheSampleAndTheReason() throws {
    let cases = try [
      ([], "empty"),
      (Array("GIF89a".utf8), "neither a JPEG nor a PNG"),
      (Fixture.bytes("huge.png"), "60000 x 60000"),
      (hugeJPEG(), "65500 x 65500"),
      (Fixture.bytes("420.jpg").dropLast(200), "Premature end"),
      (Fixture.bytes("progressive.jpg").dropLast(2), "Premature end"),
    ]
    for (bytes, reason) in cases {
      let error = #expect(throws: DatasetError.self) { try decode(Array(bytes)) }
      let message = "\(try #require(error))"
      #expect(message.hasPrefix("train/a/b.jpg: "))
      #expect(message.contains(reason))
    }
  }

  @Test(
    "Every truncation is an error",
    arguments: ["420.jpg", "progressive.jpg", "palette.png", "deep-rgba.png"])
  func truncationIsAnError(name: String) throws {
    let whole = try Fixture.bytes(name)
    // The last chunk of a PNG holds nothing; libpng is content without it.
    let lengths = 0..<whole.count - (name.hasSuffix("png") ? 12 : 0)
    for length in lengths {
      #expect(throws: DatasetError.self) { try decode(Array(whole[..<length])) }
    }
  }

  @Test func aDecoderWorksAfterAnyDamage() throws {
    let decoder = ImageDecoder()
    var image = DecodedImage()
    for name in ["420.jpg", "ycck.jpg", "rgb.png", "deep-gray-alpha.png"] {
      let (whole, expected) = try (Fixture.bytes(name), Fixture.bytes(name + ".rgb"))
      for position in whole.indices {
        var damaged = whole
        damaged[position] ^= 0x55
        try? decoder.decode(damaged, name: name, channels: 3, into: &image)
        try decoder.decode(whole, name: name, channels: 3, into: &image)
        try #require(image.pixels == expected, "after damage at \(position)")
      }
    }
  }

  private func decode(_ bytes: [UInt8]) throws {
    var image = DecodedImage()
    try ImageDecoder().decode(bytes, name: "train/a/b.jpg", channels: 3, into: &image)
  }

  /// A JPEG whose frame header claims 65500 x 65500 pixels.
  private func hugeJPEG() throws -> [UInt8] {
    var bytes = try Fixture.bytes("444.jpg")
    let frame = try #require(
      bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
    // Marker (2 bytes), length (2), precision (1), height (2), width (2).
    for size in [frame + 5, frame + 7] { (bytes[size], bytes[size + 1]) = (0xFF, 0xDC) }
    return bytes
  }
}
