import Support

internal import CPNG
internal import CTurboJPEG

/// Encodes RGB images. One object serves one thread at a time.
final class ImageEncoder {
  private let handle: tjhandle

  init() {
    guard let handle = tjInitCompress() else {
      fatalError("TurboJPEG cannot start: \(String(cString: tjGetErrorStr()))")
    }
    self.handle = handle
  }

  deinit {
    tjDestroy(handle)
  }

  /// A JPEG of quality 95 with all of its colour resolution (4:4:4).
  /// - Throws: `DecodingFailure` for sizes that a JPEG cannot have, above 65,500 pixels.
  func jpeg(_ image: DecodedImage) throws(DecodingFailure) -> [UInt8] {
    precondition(image.channels == 3, "an RGB image")
    var memory: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    defer { tjFree(memory) }
    let status = tjCompress2(
      handle, image.pixels, Int32(image.width), 0, Int32(image.height),
      Int32(TJPF_RGB.rawValue), &memory, &size, Int32(TJSAMP_444.rawValue), 95,
      TJFLAG_ACCURATEDCT)
    guard status == 0 else {
      throw DecodingFailure(
        reason: "it cannot be resized: \(String(cString: tjGetErrorStr2(handle)))")
    }
    return Array(UnsafeBufferPointer(start: memory, count: Int(size)))
  }

  /// A PNG, which keeps every pixel.
  func png(_ image: DecodedImage) -> [UInt8] {
    precondition(image.channels == 3, "an RGB image")
    var header = png_image()
    header.version = png_uint_32(PNG_IMAGE_VERSION)
    (header.width, header.height) = (png_uint_32(image.width), png_uint_32(image.height))
    header.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    // More than the pixels, a filter byte a row, and what compression may add to them.
    var size = image.pixels.count * 9 / 8 + image.height + 4096
    var bytes = [UInt8](repeating: 0, count: size)
    let status = png_image_write_to_memory(&header, &bytes, &size, 0, image.pixels, 0, nil)
    precondition(status != 0, "libpng cannot encode an image")
    bytes.resize(to: size)
    return bytes
  }
}
