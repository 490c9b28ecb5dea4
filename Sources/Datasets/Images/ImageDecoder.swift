/// Decodes JPEG and PNG images to the pixels that Pillow gives. One object serves one thread at a
/// time and reuses its memory from image to image.
///
/// As in Pillow and torchvision, orientation tags (EXIF) and colour profiles (ICC) are ignored, and
/// transparency is dropped. A truncated file is an error; a complete one with flaws that decoders
/// step over (such as extraneous bytes between segments) is not.
public final class ImageDecoder {
  /// Images with more pixels are refused before memory is allocated: Pillow's limit.
  public static let maximumPixels = 178_956_970

  private let jpeg: JPEGDecoder
  /// Pixels as the file stores them, if they need a conversion.
  private var stored = RasterBuffer()

  /// - Parameter shorterSide: for `ImageDecoding.fast`, the length below which the shorter side must not
  ///   be reduced; `nil` for exact pixels.
  public init(shorterSide: Int? = nil) {
    jpeg = JPEGDecoder(shorterSide: shorterSide)
  }

  /// Decodes `bytes` into `image`. The format of a file is recognised by the content, not by a name.
  /// - Parameters:
  ///   - encoding: `ImageSource.encoding`.
  ///   - name: the sample's name for errors, such as `ImageSource.name(of:)` gives it.
  ///   - channels: 1 (colour becomes luma, as Pillow's mode "L") or 3 (gray is replicated).
  public func decode(
    _ bytes: [UInt8], encoding: ImageEncoding = .file, name: @autoclosure () -> String,
    channels: Int, into image: inout DecodedImage
  ) throws(DatasetError) {
    precondition(channels == 1 || channels == 3, "images have 1 or 3 channels")
    do {
      try decode(bytes, encoding)
    } catch {
      throw .undecodable(sample: name(), reason: error.reason)
    }
    stored.convert(to: channels, into: &image)
  }

  /// The shorter side of an image, in pixels, and whether it is stored in gray.
  func traits(
    of bytes: [UInt8], encoding: ImageEncoding
  ) throws(DecodingFailure) -> (side: Int, isGray: Bool) {
    try decode(bytes, encoding)
    let isGray = [.gray, .grayAlpha].contains(stored.layout)
    return (min(stored.width, stored.height), isGray)
  }

  private func decode(_ bytes: [UInt8], _ encoding: ImageEncoding) throws(DecodingFailure) {
    switch encoding {
    case .file: try decodeFile(bytes)
    case .planes(let width, let height):
      try stored.interleave(planes: bytes, width: width, height: height)
    }
  }

  private func decodeFile(_ bytes: [UInt8]) throws(DecodingFailure) {
    guard !bytes.isEmpty else { throw DecodingFailure(reason: "the file is empty") }
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      try jpeg.decode(bytes, into: &stored)
    } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      try decodePNG(bytes, into: &stored)
    } else {
      throw DecodingFailure(reason: "it is neither a JPEG nor a PNG")
    }
  }
}

/// A decoder's reason, before it is known which sample it is about.
struct DecodingFailure: Error {
  let reason: String

  /// Refuses sizes that are impossible or beyond the limit.
  static func check(width: Int, height: Int) throws(DecodingFailure) {
    guard width > 0, height > 0 else {
      throw DecodingFailure(reason: "its size is \(width) x \(height)")
    }
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, pixels <= ImageDecoder.maximumPixels else {
      throw DecodingFailure(
        reason: "its size of \(width) x \(height) pixels is beyond the limit of "
          + "\(ImageDecoder.maximumPixels) pixels")
    }
  }
}
