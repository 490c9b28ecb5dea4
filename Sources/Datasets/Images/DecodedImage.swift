import Support

/// An image in memory: 8-bit samples, row by row, channels interleaved (HWC).
public struct DecodedImage: Sendable, Equatable {
  public private(set) var width: Int
  public private(set) var height: Int
  /// 1 (grayscale) or 3 (red, green, blue).
  public private(set) var channels: Int
  /// `height * width * channels` samples.
  public internal(set) var pixels: [UInt8]

  /// An image without pixels, to decode into.
  public init() {
    (width, height, channels, pixels) = (0, 0, 1, [])
  }

  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels")
    precondition(pixels.count == width * height * channels, "one sample a pixel and channel")
    (self.width, self.height, self.channels, self.pixels) = (width, height, channels, pixels)
  }

  /// The index of a pixel's first sample.
  func offset(x: Int, y: Int) -> Int { (y * width + x) * channels }

  /// Changes the size and keeps the memory; the samples are then meaningless.
  mutating func reshape(width: Int, height: Int, channels: Int) {
    (self.width, self.height, self.channels) = (width, height, channels)
    pixels.resize(to: width * height * channels)
  }
}
