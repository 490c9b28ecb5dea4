/// Named normalizations: `(x / 255 - mean) / deviation` for each channel, of samples 0...255.
public enum NormalizationPreset: String, Sendable, CaseIterable {
  /// The samples as they are, 0 to 255.
  case none
  /// 0 to 1.
  case unit
  case cifar10
  case cifar100
  case imagenet
  case mnist

  /// Channels of the images that it is for; nil for images of any.
  public var channels: Int? { statistics?.mean.count }

  /// Mean and deviation of each channel, in units of the full range; `nil` if there are none.
  public var statistics: (mean: [Float], deviation: [Float])? {
    switch self {
    case .none, .unit: nil
    case .cifar10: ([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010])
    case .cifar100: ([0.5071, 0.4867, 0.4408], [0.2675, 0.2565, 0.2761])
    case .imagenet: ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    case .mnist: ([0.1307], [0.3081])
    }
  }
}

/// Maps 8-bit samples to network inputs through one table a channel.
struct Normalization: Sendable {
  /// `[channels, 256]`
  private let table: [Float]

  init(_ preset: NormalizationPreset, channels: Int) throws(DatasetError) {
    let statistics = preset.statistics
    if let statistics, statistics.mean.count != channels {
      throw .normalizationMismatch(preset: preset, channels: channels)
    }
    table = (0..<channels * 256).map { entry in
      let (channel, sample) = (entry / 256, Float(entry % 256))
      guard preset != .none else { return sample }
      guard let (mean, deviation) = statistics else { return sample / 255 }
      return (sample / 255 - mean[channel]) / deviation[channel]
    }
  }

  /// Calls `body` with the value of every sample: `[channels, 256]`.
  func withTable<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result {
    table.withUnsafeBufferPointer { body($0.baseAddress!) }
  }

  /// Writes the values of an image's samples to `output`, `[height, width, channels]`.
  func apply(to image: DecodedImage, _ output: UnsafeMutableBufferPointer<Float>) {
    precondition(image.pixels.count == output.count, "the steps give images of the wanted size")
    withTable { table in
      image.pixels.withUnsafeBufferPointer { pixels in
        if image.channels == 1 {
          for index in 0..<pixels.count { output[index] = table[Int(pixels[index])] }
        } else {
          for index in stride(from: 0, to: pixels.count, by: 3) {
            output[index] = table[Int(pixels[index])]
            output[index + 1] = table[256 + Int(pixels[index + 1])]
            output[index + 2] = table[512 + Int(pixels[index + 2])]
          }
        }
      }
    }
  }
}
