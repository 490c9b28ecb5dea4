internal import CPNG
import Foundation

/// Pixels as a PNG file.
public enum PNGEncoder {
  /// - Parameter pixels: [height, width, 3], red, green and blue.
  public static func encode(_ pixels: [UInt8], width: Int, height: Int) -> Data {
    precondition(pixels.count == height * width * 3 && width > 0 && height > 0)
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    (image.width, image.height) = (png_uint_32(width), png_uint_32(height))
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    // Compressed, it may be larger than it was.
    var file = Data(count: 2 * pixels.count + 4096)
    var size = file.count
    let isWritten = file.withUnsafeMutableBytes { bytes in
      png_image_write_to_memory(&image, bytes.baseAddress, &size, 0, pixels, 0, nil)
    }
    precondition(isWritten != 0, "memory for a PNG file is large enough")
    return file.prefix(size)
  }
}
