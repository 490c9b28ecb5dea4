extension SpikeTensor {
  /// Spikes at random places.
  ///
  /// - Parameters:
  ///   - probability: that an element is a spike.
  ///   - stream: the random numbers of a sample, given its number; one for each element in the order
  ///     of unpacked memory.
  public init(
    random shape: Shape, probability: Float, in arena: Arena, stream: (Int) -> RandomStream
  ) {
    self.init(shape, in: arena)
    let (destination, pixels, channels) = (words, shape.h * shape.w, shape.c)
    let wordsPerPixel = Self.wordsPerPixel(channels: channels)
    let count = parallelSum(shape.n) { _, part in
      var count = 0
      for sample in part {
        var random = stream(sample)
        for pixel in sample * pixels..<(sample + 1) * pixels {
          for word in 0..<wordsPerPixel {
            var bits: UInt64 = 0
            for bit in 0..<min(64, channels - 64 * word) where random.uniform() < probability {
              bits |= 1 << UInt64(bit)
            }
            destination[pixel * wordsPerPixel + word] = bits
            count += bits.nonzeroBitCount
          }
        }
      }
      return Double(count)
    }
    spikeCount = Int(count)
  }
}
