import Tensors

/// Reads, decodes and transforms single samples. One thread has one reader, which reuses its memory
/// from sample to sample.
final class SampleReader {
  private let source: any ImageSource
  private let transform: ImageTransform
  private let seed: UInt64
  private let decoder = ImageDecoder()
  private var bytes: [UInt8] = []
  private var image = DecodedImage()
  private var scratch = ImageTransform.Scratch()

  init(source: any ImageSource, transform: ImageTransform, seed: UInt64) {
    self.source = source
    self.transform = transform
    self.seed = seed
  }

  /// Puts a sample at a position of a batch.
  func read(
    _ sample: Int, epoch: Int, into storage: BatchStorage, position: Int
  ) throws(DatasetError) {
    try source.read(sample, into: &bytes)
    try decoder.decode(
      bytes, name: source.name(of: sample), channels: transform.channels, into: &image)
    var random = RandomStream(seed: seed, purpose: .augmentation, time: epoch, index: sample)
    transform.apply(
      to: image, random: &random, scratch: &scratch, output: storage.image(position))
    storage.labels[position] = source.labels[sample]
  }
}
