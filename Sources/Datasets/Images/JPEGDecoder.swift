internal import CTurboJPEG

/// Decodes JPEGs through TurboJPEG, unless told otherwise with its default settings, which are
/// Pillow's: accurate integer DCT, smooth chroma upsampling.
final class JPEGDecoder {
  private var handle: tjhandle
  /// What the shorter side must keep when images are decoded smaller and faster; `nil` for exactness.
  private let shorterSide: Int?

  init(shorterSide: Int?) {
    self.shorterSide = shorterSide
    handle = Self.makeHandle()
  }

  deinit {
    tjDestroy(handle)
  }

  func decode(_ bytes: [UInt8], into raster: inout RasterBuffer) throws(DecodingFailure) {
    do {
      try decodeWithoutRecovery(bytes, into: &raster)
    } catch {
      // A handle whose header parsing was broken off would go on in the middle of the next image.
      tjDestroy(handle)
      handle = Self.makeHandle()
      throw error
    }
  }

  private static func makeHandle() -> tjhandle {
    guard let handle = tjInitDecompress() else {
      fatalError("TurboJPEG cannot start: \(String(cString: tjGetErrorStr()))")
    }
    return handle
  }

  private func decodeWithoutRecovery(
    _ bytes: [UInt8], into raster: inout RasterBuffer
  ) throws(DecodingFailure) {
    var width: Int32 = 0
    var height: Int32 = 0
    var subsampling: Int32 = -1
    var colorspace: Int32 = -1
    let status = tjDecompressHeader3(
      handle, bytes, UInt(bytes.count), &width, &height, &subsampling, &colorspace)
    // Unusual chroma subsampling has no name in TurboJPEG and gives an error after the rest is
    // filled in. It does not hinder decoding.
    guard status == 0 || (width > 0 && height > 0 && colorspace >= 0) else {
      throw DecodingFailure(reason: message)
    }
    try DecodingFailure.check(width: Int(width), height: Int(height))

    let (layout, format) =
      switch TJCS(UInt32(bitPattern: colorspace)) {
      case TJCS_GRAY: (PixelLayout.gray, TJPF_GRAY)
      case TJCS_CMYK, TJCS_YCCK: (PixelLayout.invertedCMYK, TJPF_CMYK)
      default: (PixelLayout.rgb, TJPF_RGB)
      }
    // For these the library has vector code; the size rounds up.
    let divisor = [8, 4, 2].first { min(Int(width), Int(height)) / $0 >= shorterSide ?? .max } ?? 1
    width = (width + Int32(divisor) - 1) / Int32(divisor)
    height = (height + Int32(divisor) - 1) / Int32(divisor)
    try raster.fill(width: Int(width), height: Int(height), layout: layout) {
      (pixels) throws(DecodingFailure) in
      // Without a limit a small file of thousands of scans takes hours.
      let status = tjDecompress2(
        handle, bytes, UInt(bytes.count), pixels, width, 0, height, Int32(format.rawValue),
        TJFLAG_LIMITSCANS | (shorterSide == nil ? 0 : TJFLAG_FASTUPSAMPLE))
      if status != 0 && (isFatal || isTruncated(bytes)) { throw DecodingFailure(reason: message) }
    }
  }

  private var message: String { String(cString: tjGetErrorStr2(handle)) }

  private var isFatal: Bool { tjGetErrorCode(handle) == Int32(TJERR_FATAL.rawValue) }

  /// Whether the decoder ran out of data. Its message is about the first warning only, so that after
  /// another one the end marker is looked for.
  private func isTruncated(_ bytes: [UInt8]) -> Bool {
    message.hasPrefix("Premature end of JPEG file")
      || !zip(bytes, bytes.dropFirst()).contains { $0 == 0xFF && $1 == 0xD9 }
  }
}
