import Tensors

/// Images as network inputs: decoded and transformed, one frame each.
public struct ImageInput: SampleInput {
  let source: any ImageSource
  private let transform: ImageTransform
  private let decoding: ImageDecoding

  public init(
    _ source: any ImageSource, _ transform: ImageTransform, decoding: ImageDecoding = .exact
  ) {
    self.source = source
    self.transform = transform
    self.decoding = decoding
  }

  public var count: Int { source.count }
  public var timesteps: Int { 1 }
  public var imageSize: Int { transform.imageSize }
  public var frameCount: Int { transform.outputCount }

  public func substitutes(for index: Int) -> Range<Int> { source.substitutes(for: index) }

  public func makeReader(seed: UInt64) -> any SampleReader {
    ImageReader(source: source, transform: transform, seed: seed, decoder: makeDecoder())
  }

  /// A decoder for one thread.
  func makeDecoder() -> ImageDecoder {
    ImageDecoder(shorterSide: decoding == .fast ? transform.neededSide : nil)
  }

  /// That images are decoded to.
  var channels: Int { transform.channels }
}

/// Reads, decodes and transforms single images.
private final class ImageReader: SampleReader {
  private let source: any ImageSource
  private let transform: ImageTransform
  private let seed: UInt64
  private let decoder: ImageDecoder
  private var bytes: [UInt8] = []
  private var image = DecodedImage()
  private var scratch: ImageTransform.Scratch

  init(
    source: any ImageSource, transform: ImageTransform, seed: UInt64, decoder: ImageDecoder
  ) {
    self.source = source
    self.transform = transform
    self.seed = seed
    self.decoder = decoder
    scratch = transform.makeScratch()
  }

  func read(_ sample: Int, epoch: Int, into place: SamplePlace) throws(DatasetError) {
    try source.read(sample, into: &bytes)
    try decoder.decode(
      bytes, encoding: source.encoding, name: source.name(of: sample),
      channels: transform.channels, into: &image)
    var random = RandomStream(seed: seed, purpose: .augmentation, time: epoch, index: sample)
    transform.apply(to: &image, random: &random, scratch: &scratch, output: place.frame())
    place.setLabel(source.labels[sample])
  }
}
