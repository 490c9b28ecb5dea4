internal import CPNG
import Support

/// Pixels as a PNG file, which keeps each of them.
public enum PNGEncoder {
  /// - Parameter pixels: [height, width, 3], red, green and blue.
  public static func encode(_ pixels: [UInt8], width: Int, height: Int) -> [UInt8] {
    precondition(pixels.count == height * width * 3 && width > 0 && height > 0)
    var header = png_image()
    header.version = png_uint_32(PNG_IMAGE_VERSION)
    (header.width, header.height) = (png_uint_32(width), png_uint_32(height))
    header.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    // More than the pixels, a filter byte a row, and what compression may add to them.
    var size = pixels.count * 9 / 8 + height + 4096
    var bytes = [UInt8](repeating: 0, count: size)
    let status = png_image_write_to_memory(&header, &bytes, &size, 0, pixels, 0, nil)
    precondition(status != 0, "libpng cannot encode an image")
    bytes.resize(to: size)
    return bytes
  }
}
