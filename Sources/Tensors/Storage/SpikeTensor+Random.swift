internal import CSpikeKernels

extension SpikeTensor {
  /// Spikes at random places: an element is a spike where its number in the stream, as `uniform` gives
  /// it, is less than `probability`.
  ///
  /// - Parameter stream: the random numbers of a sample, given its number; one for each element in the
  ///   order of unpacked memory.
  public init(
    random shape: Shape, probability: Float, in arena: Arena, stream: (Int) -> RandomStream
  ) {
    self.init(shape, in: arena)
    let (destination, pixels, channels) = (words, shape.h * shape.w, shape.c)
    let wordsPerPixel = Self.wordsPerPixel(channels: channels)
    let bitWords = (pixels * channels + 63) / 64
    let count = parallelSum(shape.n) { _, part in
      var count = 0
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: bitWords) { bits in
        for sample in part {
          stream(sample).drawBits(below: probability, into: bits)
          let image = destination + sample * pixels * wordsPerPixel
          for pixel in 0..<pixels {
            for word in 0..<wordsPerPixel {
              let (start, width) = (pixel * channels + 64 * word, min(64, channels - 64 * word))
              let packed = bits.bits(from: start, count: width)
              image[pixel * wordsPerPixel + word] = packed
              count += packed.nonzeroBitCount
            }
          }
        }
      }
      return Double(count)
    }
    spikeCount = Int(count)
  }
}

extension UnsafeMutableBufferPointer<UInt64> {
  /// `count` bits, at most 64, of the string of bits that the words are.
  fileprivate func bits(from start: Int, count: Int) -> UInt64 {
    let (word, shift) = (start / 64, UInt64(start % 64))
    var result = self[word] >> shift
    if Int(shift) + count > 64 { result |= self[word + 1] << (64 - shift) }
    return count == 64 ? result : result & (1 << UInt64(count) - 1)
  }
}
