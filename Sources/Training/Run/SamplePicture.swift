import Datasets
import Foundation

/// What people see of a sample: an image as it was before its normalization, or all events of a recording,
/// summed over its frames, blue where it gets darker and red where it gets brighter.
public struct SamplePicture {
  /// A PNG file.
  public let png: Foundation.Data
  /// Whether it shows a recording.
  public let isOfEvents: Bool
}

extension SamplePicture {
  /// - Parameter sample: position in the batch.
  init(_ batch: Batch, _ sample: Int, normalization: NormalizationPreset, size: Int) {
    let frameCount = batch.frames.count / (batch.timesteps * max(1, batch.count))
    let channels = frameCount / (size * size)
    let frames = (0..<batch.timesteps).map { t in
      batch.frames[((t * batch.count + sample) * frameCount)...].prefix(frameCount)
    }
    let pixels =
      switch channels {
      case 2: Self.events(frames)
      case 1:
        normalization.samples(of: frames[0], channels: 1).flatMap { [$0, $0, $0] }
      default: normalization.samples(of: frames[0], channels: channels)
      }
    isOfEvents = channels == 2
    png = Foundation.Data(PNGEncoder.encode(pixels, width: size, height: size))
  }

  /// - Parameter frames: [pixels, 2] each, of falling and rising brightness.
  private static func events(_ frames: [Slice<UnsafeBufferPointer<Float>>]) -> [UInt8] {
    var sums = [Float](repeating: 0, count: frames[0].count)
    for frame in frames {
      for (index, value) in frame.enumerated() where value.isFinite { sums[index] += abs(value) }
    }
    let most = max(sums.max() ?? 0, .leastNormalMagnitude)
    func sample(_ sum: Float) -> UInt8 { UInt8((255 * (sum / most)).rounded()) }
    return stride(from: 0, to: sums.count, by: 2).flatMap { pixel in
      [sample(sums[pixel + 1]), 0, sample(sums[pixel])]
    }
  }
}
