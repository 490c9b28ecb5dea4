/// Which elements dropout lets pass, drawn once for all time steps of an iteration. Those are scaled by
/// 1 / (1 - probability), the others become 0.
public final class DropoutMask {
  /// Spikes where elements pass.
  let kept: SpikeTensor
  /// Multiplies what passes.
  let scale: Float

  /// - Parameters:
  ///   - probability: that an element is dropped, less than 1.
  ///   - stream: the random numbers of a sample, given its number.
  public init(
    _ shape: Shape, probability: Float, in arena: Arena, stream: (Int) -> RandomStream
  ) {
    kept = SpikeTensor(random: shape, probability: 1 - probability, in: arena, stream: stream)
    scale = 1 / (1 - probability)
  }

  /// The spikes that pass, which stand for scaled values.
  public func kept(of spikes: Spikes, in arena: Arena) -> Spikes {
    Spikes(
      planes: spikes.planes.map {
        SharedSpikes(
          $0.spikes.intersection(kept, amplitude: scale * $0.spikes.amplitude, in: arena))
      }, levels: spikes.levels)
  }

  /// Drops elements of `x` and scales the others.
  public func apply(to x: inout Tensor) {
    precondition(x.shape == kept.shape)
    x.willChange()
    let (source, destination, scale) = (kept.words, x.pointer, scale)
    let (channels, words) = (x.shape.c, SpikeTensor.wordsPerPixel(channels: x.shape.c))
    parallelFor(x.shape.pixels, grain: pixelGrain(channels: channels)) { _, part in
      for pixel in part {
        for c in 0..<channels {
          let isKept = source[pixel * words + c / 64] >> UInt64(c % 64) & 1 == 1
          destination[pixel * channels + c] *= isKept ? scale : 0
        }
      }
    }
  }
}
