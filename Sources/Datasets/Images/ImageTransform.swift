import Tensors

/// Turns a decoded image into a square network input, `[imageSize, imageSize, channels]` Floats: pixel
/// steps, normalization, erasing steps.
///
/// Every random choice comes from the stream that the caller makes for (seed, epoch, sample), so it
/// depends on nothing else.
public struct ImageTransform: Sendable {
  public let imageSize: Int
  public let channels: Int
  private let pixelSteps: [any PixelStep]
  private let erasingSteps: [any ErasingStep]
  private let normalization: Normalization

  /// - Parameters:
  ///   - steps: such that `checkAugmentation` is content.
  ///   - imageSize: width and height of the result, pixels.
  ///   - channels: 1 or 3.
  public init(
    steps: [any AugmentationStep], normalization: NormalizationPreset, imageSize: Int, channels: Int
  ) throws(DatasetError) {
    precondition(imageSize > 0, "an image has pixels")
    self.imageSize = imageSize
    self.channels = channels
    pixelSteps = steps.compactMap { $0 as? any PixelStep }
    erasingSteps = steps.compactMap { $0 as? any ErasingStep }
    self.normalization = try Normalization(normalization, channels: channels)
  }

  /// With the steps that an augmentation has for training or evaluation.
  public init(
    augmentation: Augmentation, normalization: NormalizationPreset, isTraining: Bool,
    imageSize: Int, channels: Int
  ) throws(DatasetError) {
    try self.init(
      steps: isTraining
        ? augmentation.steps(imageSize: imageSize)
        : augmentation.evaluationSteps(imageSize: imageSize),
      normalization: normalization, imageSize: imageSize, channels: channels)
  }

  /// The number of Floats of one result.
  public var outputCount: Int { imageSize * imageSize * channels }

  /// The length of an image's shorter side beyond which the transform gains little from more pixels.
  var neededSide: Int {
    let needs = pixelSteps.lazy.compactMap { ($0 as? any ScalingStep)?.neededSide(imageSize) }
    return needs.first ?? .max
  }

  /// The memory that `apply` reuses from image to image; one for each thread.
  public struct Scratch {
    fileprivate var canvas: ImageCanvas
  }

  public func makeScratch() -> Scratch {
    Scratch(canvas: ImageCanvas(imageSize: imageSize))
  }

  /// Writes the transformed image to `output`, which holds `outputCount` Floats. Uses the image up:
  /// what it holds afterwards is meaningless.
  public func apply(
    to image: inout DecodedImage, random: inout RandomStream, scratch: inout Scratch,
    output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(image.channels == channels, "decode to the channels of the transform")
    precondition(output.count == outputCount, "the output has the size of the result")
    scratch.canvas.load(&image)
    for step in pixelSteps { step.apply(to: &scratch.canvas, random: &random) }
    scratch.canvas.edit { normalization.apply(to: $0, output) }
    let result = NormalizedImage(
      values: output, side: imageSize, channels: channels, normalization: normalization)
    for step in erasingSteps { step.apply(to: result, random: &random) }
  }
}
