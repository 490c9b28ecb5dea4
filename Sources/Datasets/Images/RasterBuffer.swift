import Support

/// How a file stores a pixel.
enum PixelLayout {
  case gray
  case grayAlpha
  case rgb
  case rgba
  /// Cyan, magenta, yellow, black, each inverted (255 is no ink), as Adobe's JPEGs hold them.
  case invertedCMYK

  var samples: Int {
    switch self {
    case .gray: 1
    case .grayAlpha: 2
    case .rgb: 3
    case .rgba, .invertedCMYK: 4
    }
  }
}

/// Decoded pixels as the file stores them, and their conversion to gray or RGB by Pillow's rules.
struct RasterBuffer {
  private(set) var width = 0
  private(set) var height = 0
  private(set) var layout = PixelLayout.gray
  private(set) var samples: [UInt8] = []

  /// Sets the form of the image and lets `fill` write all its samples.
  mutating func fill<Failure: Error>(
    width: Int, height: Int, layout: PixelLayout,
    _ body: (UnsafeMutablePointer<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    (self.width, self.height, self.layout) = (width, height, layout)
    samples.resize(to: width * height * layout.samples)
    try samples.withUnsafeMutableBufferPointer { buffer throws(Failure) in
      try body(buffer.baseAddress!)
    }
  }

  /// Takes a red, a green and a blue plane.
  mutating func interleave(
    planes: [UInt8], width: Int, height: Int
  ) throws(DecodingFailure) {
    let size = width * height
    guard planes.count == 3 * size else {
      throw DecodingFailure(reason: "it has \(planes.count) bytes instead of \(3 * size)")
    }
    fill(width: width, height: height, layout: .rgb) { pixels in
      for pixel in 0..<size {
        for channel in 0..<3 { pixels[3 * pixel + channel] = planes[channel * size + pixel] }
      }
    }
  }

  /// Writes the pixels with 1 or 3 channels into `image`. Without need for a conversion the two
  /// exchange their memory instead.
  mutating func convert(to channels: Int, into image: inout DecodedImage) {
    if layout.samples == channels {
      swap(&samples, &image.pixels)
      image.reshape(width: width, height: height, channels: channels)
      return
    }
    image.reshape(width: width, height: height, channels: channels)
    let (pixelCount, layout) = (width * height, layout)
    samples.withUnsafeBufferPointer { source in
      image.pixels.withUnsafeMutableBufferPointer { target in
        let (from, to) = (source.baseAddress!, target.baseAddress!)
        for pixel in 0..<pixelCount {
          let color = Self.color(from + pixel * layout.samples, layout)
          if channels == 3 {
            (to[3 * pixel], to[3 * pixel + 1], to[3 * pixel + 2]) = (color.r, color.g, color.b)
          } else {
            to[pixel] = luma(color.r, color.g, color.b)
          }
        }
      }
    }
  }

  private typealias Color = (r: UInt8, g: UInt8, b: UInt8)

  @inline(__always)
  private static func color(_ pixel: UnsafePointer<UInt8>, _ layout: PixelLayout) -> Color {
    switch layout {
    case .gray, .grayAlpha:
      return (pixel[0], pixel[0], pixel[0])
    case .rgb, .rgba:
      return (pixel[0], pixel[1], pixel[2])
    case .invertedCMYK:
      let white = Int(pixel[3])
      func shaded(_ sample: UInt8) -> UInt8 {
        UInt8(max(0, white - roundedQuotient(by255: (255 - Int(sample)) * white)))
      }
      return (shaded(pixel[0]), shaded(pixel[1]), shaded(pixel[2]))
    }
  }

  /// `product / 255`, rounded, for products of two bytes.
  @inline(__always)
  private static func roundedQuotient(by255 product: Int) -> Int {
    let biased = product + 128
    return ((biased >> 8) + biased) >> 8
  }
}

/// ITU-R 601 luma in 16-bit fixed point, Pillow's gray of a colour.
@inline(__always)
func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
  let sum = 19_595 * UInt32(red) + 38_470 * UInt32(green) + 7_471 * UInt32(blue)
  return UInt8((sum + 0x8000) >> 16)
}
