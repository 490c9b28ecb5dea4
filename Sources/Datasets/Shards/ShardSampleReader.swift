/// Makes the image files that go into shards. One object serves one thread at a time.
final class ShardSampleReader {
  private let source: any ImageSource
  private let shorterSide: Int?
  private let decoder = ImageDecoder()
  private let encoder = ImageEncoder()
  private var resampler = Resampler()
  private var image = DecodedImage()
  private var resized = DecodedImage()
  /// The image file of the sample that was read last.
  private(set) var bytes: [UInt8] = []

  /// - Parameter shorterSide: the longest that the shorter side of an image may be, pixels.
  init(_ source: any ImageSource, shorterSide: Int?) {
    self.source = source
    self.shorterSide = shorterSide
  }

  /// Reads a sample to `bytes`. It is decoded in any case, to know that it can be; images that are
  /// small enough stay byte by byte as they are, and raw pixels become PNGs.
  func read(_ sample: Int) throws(DatasetError) {
    try source.read(sample, into: &bytes)
    try decoder.decode(
      bytes, encoding: source.encoding, name: source.name(of: sample), channels: 3, into: &image)
    let shorter = min(image.width, image.height)
    if let shorterSide, shorter > shorterSide {
      let (width, height) = (
        shorterSide * image.width / shorter, shorterSide * image.height / shorter
      )
      resampler.resize(
        image, region: PixelRectangle(width: image.width, height: image.height),
        toWidth: width, height: height, window: PixelRectangle(width: width, height: height),
        into: &resized)
      do {
        bytes = try encoder.jpeg(resized)
      } catch {
        throw .undecodable(sample: source.name(of: sample), reason: error.reason)
      }
    } else if source.encoding != .file {
      bytes = encoder.png(image)
    }
  }

  /// Of the file in `bytes`.
  var fileExtension: String { bytes.first == 0x89 ? "png" : "jpg" }
}
