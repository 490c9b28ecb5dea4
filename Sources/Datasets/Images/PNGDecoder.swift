internal import CPNG

/// Decodes a PNG of any kind: palettes are looked up, bit depths below 8 are scaled up, 16 bits are cut
/// down to the upper 8. (So does Pillow, but for gray without alpha, where it makes all above 255 white.)
func decodePNG(_ bytes: [UInt8], into raster: inout RasterBuffer) throws(DecodingFailure) {
  try withoutIgnoredChunks(bytes).withUnsafeBufferPointer { data throws(DecodingFailure) in
    try decodePNG(data, into: &raster)
  }
}

/// libpng's simplified interface reads from `data` until the image is finished. It would round 16 bits,
/// or multiply them by alpha, so they are read by the other one.
private func decodePNG(
  _ data: UnsafeBufferPointer<UInt8>, into raster: inout RasterBuffer
) throws(DecodingFailure) {
  var image = png_image()
  image.version = png_uint_32(PNG_IMAGE_VERSION)
  defer { png_image_free(&image) }
  guard png_image_begin_read_from_memory(&image, data.baseAddress, data.count) != 0 else {
    throw DecodingFailure(reason: message(image))
  }
  try DecodingFailure.check(width: Int(image.width), height: Int(image.height))

  // Alpha is asked for where there is some: without it libpng would blend with a background.
  let hasColor = image.format & UInt32(PNG_FORMAT_FLAG_COLOR) != 0
  let hasAlpha = image.format & UInt32(PNG_FORMAT_FLAG_ALPHA) != 0
  let layout: PixelLayout =
    hasColor ? (hasAlpha ? .rgba : .rgb) : (hasAlpha ? .grayAlpha : .gray)
  let isDeep = image.format & UInt32(PNG_FORMAT_FLAG_LINEAR) != 0
  image.format =
    (hasColor ? UInt32(PNG_FORMAT_FLAG_COLOR) : 0) | (hasAlpha ? UInt32(PNG_FORMAT_FLAG_ALPHA) : 0)
  try raster.fill(width: Int(image.width), height: Int(image.height), layout: layout) {
    (pixels) throws(DecodingFailure) in
    let isRead =
      isDeep
      ? sltt_png_read_upper_bytes(&image, data.baseAddress, data.count, pixels)
      : png_image_finish_read(&image, nil, pixels, 0, nil)
    guard isRead != 0 else { throw DecodingFailure(reason: message(image)) }
  }
}

/// gAMA, cHRM, sRGB and iCCP, by which the simplified interface would convert colours to sRGB, and
/// tRNS, which adds a transparency. Data sets are trained on the values as they are stored.
private let ignoredChunks: [UInt32] = [
  0x6741_4D41, 0x6348_524D, 0x7352_4742, 0x6943_4350, 0x7452_4E53,
]

/// A copy without those chunks; everything else is left to libpng, damage included.
private func withoutIgnoredChunks(_ bytes: [UInt8]) -> [UInt8] {
  func bigEndian(at position: Int) -> UInt32 {
    bytes[position..<position + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }
  var kept: [UInt8] = []
  kept.reserveCapacity(bytes.count)
  var copied = 0
  var chunk = 8
  while bytes.count - chunk >= 12 {
    let end = min(chunk + 12 + Int(bigEndian(at: chunk)), bytes.count)
    if ignoredChunks.contains(bigEndian(at: chunk + 4)) {
      kept.append(contentsOf: bytes[copied..<chunk])
      copied = end
    }
    chunk = end
  }
  kept.append(contentsOf: bytes[copied...])
  return kept
}

private func message(_ image: png_image) -> String {
  withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
