import Tensors

/// Turns a decoded image into a square network input, `[imageSize, imageSize, channels]` Floats:
/// resize and crop, shift, flip, normalize, in this order.
///
/// Every random choice comes from the stream that the caller makes for (seed, epoch, sample), so it
/// depends on nothing else.
public struct ImageTransform: Sendable {
  public let imageSize: Int
  public let channels: Int
  private let framing: Framing
  private let padding: Int
  private let flips: Bool
  private let normalization: Normalization

  /// - Parameters:
  ///   - isTraining: whether the random steps apply.
  ///   - imageSize: width and height of the result, pixels.
  ///   - channels: 1 or 3.
  public init(
    augmentation: AugmentationPreset, normalization: NormalizationPreset, isTraining: Bool,
    imageSize: Int, channels: Int
  ) throws(DatasetError) {
    precondition(imageSize > 0, "an image has pixels")
    self.imageSize = imageSize
    self.channels = channels
    framing = augmentation.framing(isTraining: isTraining, imageSize: imageSize)
    padding = isTraining ? augmentation.padding : 0
    flips = isTraining && augmentation.flips
    self.normalization = try Normalization(normalization, channels: channels)
  }

  /// The number of Floats of one result.
  public var outputCount: Int { imageSize * imageSize * channels }

  /// What `apply` reuses from image to image; one for each thread.
  public struct Scratch {
    private var resampler = Resampler()
    private var view = DecodedImage()

    public init() {}

    /// The image itself where the view is all of it, unchanged; else the resampled view.
    fileprivate mutating func take(_ view: View, of image: DecodedImage) -> DecodedImage {
      let whole = PixelRectangle(width: image.width, height: image.height)
      guard
        view.region != whole || view.window != whole || view.width != image.width
          || view.height != image.height
      else { return image }
      resampler.resize(
        image, region: view.region, toWidth: view.width, height: view.height,
        window: view.window, into: &self.view)
      return self.view
    }
  }

  /// Writes the transformed image to `output`, which holds `outputCount` Floats.
  public func apply(
    to image: DecodedImage, random: inout RandomStream, scratch: inout Scratch,
    output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(image.channels == channels, "decode to the channels of the transform")
    precondition(output.count == outputCount, "the output has the size of the result")
    let frame = framing.view(
      ofWidth: image.width, height: image.height, imageSize: imageSize, random: &random)
    let pixels = scratch.take(frame, of: image).pixels
    let shiftX = padding == 0 ? 0 : random.uniform(below: 2 * padding + 1) - padding
    let shiftY = padding == 0 ? 0 : random.uniform(below: 2 * padding + 1) - padding
    let isFlipped = flips && random.uniform() < 0.5
    write(pixels, shiftX: shiftX, shiftY: shiftY, isFlipped: isFlipped, to: output)
  }

  /// Normalizes `pixels`, seen from (`shiftX`, `shiftY`), where what lies outside is 0.
  private func write(
    _ pixels: [UInt8], shiftX: Int, shiftY: Int, isFlipped: Bool,
    to output: UnsafeMutableBufferPointer<Float>
  ) {
    normalization.withTable { table in
      var next = 0
      for row in 0..<imageSize {
        let y = row + shiftY
        for column in 0..<imageSize {
          let x = (isFlipped ? imageSize - 1 - column : column) + shiftX
          let isInside = x >= 0 && x < imageSize && y >= 0 && y < imageSize
          let first = isInside ? (y * imageSize + x) * channels : 0
          for channel in 0..<channels {
            let sample = isInside ? Int(pixels[first + channel]) : 0
            output[next] = table[channel * 256 + sample]
            next += 1
          }
        }
      }
    }
  }
}
