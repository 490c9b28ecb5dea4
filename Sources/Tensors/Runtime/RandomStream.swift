internal import CSpikeKernels

/// What a random number is for. Streams of different purposes never overlap.
public enum RandomPurpose: UInt32, Sendable {
  case initialization = 1
  case sampleOrder
  case augmentation
  case dropout
  case trainedTimesteps
  case batchMixing
  case shardOrder
}

/// Random numbers as a pure function of (seed, purpose, epoch or iteration, index), so that they do
/// not depend on the number of ranks or threads, or on restarts.
///
/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
public struct RandomStream: RandomNumberGenerator, Sendable {
  private let key: SIMD2<UInt32>
  private var counter: SIMD4<UInt32>
  private var block = SIMD4<UInt32>()
  private var unused = 0

  /// - Parameters:
  ///   - seed: the run's seed.
  ///   - time: epoch or iteration.
  ///   - index: sample, parameter or layer: whatever the purpose counts.
  public init(seed: UInt64, purpose: RandomPurpose, time: Int = 0, index: Int = 0) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    // Purposes take eight bits, so an index may have 56.
    counter = SIMD4(
      0, UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: time),
      purpose.rawValue | UInt32(truncatingIfNeeded: index >> 32) << 8)
  }

  /// 32 uniformly distributed bits.
  public mutating func nextBits() -> UInt32 {
    if unused == 0 {
      block = Self.philox(counter, key)
      counter[0] &+= 1
      unused = 4
    }
    unused -= 1
    return block[3 - unused]
  }

  public mutating func next() -> UInt64 {
    UInt64(nextBits()) | UInt64(nextBits()) << 32
  }

  /// Uniform in [0, 1), with 24 bits.
  public mutating func uniform() -> Float {
    Float(nextBits() >> 8) * 0x1p-24
  }

  /// Uniform in [0, bound), without bias (Lemire, "Fast random integer generation in an interval").
  public mutating func uniform(below bound: Int) -> Int {
    Int(next(upperBound: UInt64(bound)))
  }

  /// Bit i of the string of bits that the words are says whether the i-th number of the stream from its
  /// start, as `uniform` gives it, is less than `probability`.
  func drawBits(below probability: Float, into words: UnsafeMutableBufferPointer<UInt64>) {
    var stream = sltt_random_stream(
      key: (key[0], key[1]), counter: (counter[1], counter[2], counter[3]))
    let bound = UInt32((min(max(probability, 0), 1) * 0x1p24).rounded(.up))
    sltt_random_bits(&stream, bound, words.baseAddress, words.count)
  }

  static func philox(
    _ counter: SIMD4<UInt32>, _ initialKey: SIMD2<UInt32>
  ) -> SIMD4<UInt32> {
    var c = counter
    var k = initialKey
    for _ in 0..<10 {
      let low = c[0].multipliedFullWidth(by: 0xD251_1F53)
      let high = c[2].multipliedFullWidth(by: 0xCD9E_8D57)
      c = SIMD4(high.high ^ c[1] ^ k[0], high.low, low.high ^ c[3] ^ k[1], low.low)
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }
}
