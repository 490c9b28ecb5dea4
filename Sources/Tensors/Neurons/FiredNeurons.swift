/// Which neurons of a layer have fired for any sample: one bit each, packed as the spikes of one sample.
public struct FiredNeurons: Equatable, Sendable {
  /// Unused bits are 0.
  public var words: [UInt64]

  /// None of a layer's neurons.
  ///
  /// - Parameter shape: of the layer, for one sample.
  public init(_ shape: Shape) {
    words = [UInt64](repeating: 0, count: SpikeTensor.bytes(shape.withSamples(1)) / 8)
  }

  /// How many.
  public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Adds the neurons that have a spike in any sample [N, H, W, C].
  public mutating func add(_ spikes: Spikes) {
    let (samples, stride, planes) = (spikes.shape.n, words.count, spikes.words)
    precondition(SpikeTensor.bytes(spikes.shape) == 8 * samples * stride)
    words.withUnsafeMutableBufferPointer { words in
      let fired = words.baseAddress!
      parallelFor(stride, grain: 1024) { _, part in
        for plane in planes {
          for sample in 0..<samples {
            for word in part { fired[word] |= plane[sample * stride + word] }
          }
        }
      }
    }
  }
}
