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
    PNGEncoder.encode(image.pixels, width: image.width, height: image.height)
  }
}
