/// A plane of spikes in NHWC layout, one bit each: the channels of a pixel are packed in ceil(c / 64)
/// words of 64 bits, channel `i` being bit `i % 64` of word `i / 64`. Unused bits are 0.
public struct SpikeTensor: ~Copyable {
  /// Samples, height, width, channels.
  public let shape: Shape
  /// The value that a spike stands for: 1, but for activation gains and the scaling of dropout.
  public let amplitude: Float
  /// Number of spikes.
  public internal(set) var spikeCount = 0
  let words: UnsafeMutablePointer<UInt64>
  private let arena: Arena

  /// Spikes with undefined content.
  public init(_ shape: Shape, amplitude: Float = 1, in arena: Arena) {
    self.shape = shape
    self.amplitude = amplitude
    self.arena = arena
    words = arena.allocate(bytes: Self.wordCount(shape) * 8).assumingMemoryBound(to: UInt64.self)
  }

  deinit {
    arena.release(words, bytes: bytes)
  }

  /// Words of 64 bits that a pixel takes.
  public static func wordsPerPixel(channels: Int) -> Int { (channels + 63) / 64 }

  private static func wordCount(_ shape: Shape) -> Int {
    shape.pixels * wordsPerPixel(channels: shape.c)
  }

  /// Share of the elements that are spikes.
  public var density: Double {
    shape.count == 0 ? 0 : Double(spikeCount) / Double(shape.count)
  }

  /// Bytes of packed spikes.
  public static func bytes(_ shape: Shape) -> Int { wordCount(shape) * 8 }

  /// Bytes of the packed spikes.
  public var bytes: Int { Self.bytes(shape) }

  /// Whether the element at `index` (in the order of unpacked memory) is a spike.
  public subscript(index: Int) -> Bool {
    get {
      let (word, bit) = location(of: index)
      return words[word] >> bit & 1 == 1
    }
    set {
      let (word, bit) = location(of: index)
      spikeCount += (newValue ? 1 : 0) - Int(words[word] >> bit & 1)
      words[word] = words[word] & ~(1 << bit) | (newValue ? 1 : 0) << bit
    }
  }

  private func location(of index: Int) -> (word: Int, bit: UInt64) {
    precondition(index >= 0 && index < shape.count)
    let (pixel, channel) = index.quotientAndRemainder(dividingBy: shape.c)
    return (
      pixel * Self.wordsPerPixel(channels: shape.c) + channel / 64, UInt64(channel % 64)
    )
  }

  /// Sets the number of spikes to that of the bits.
  mutating func countSpikes() {
    let words = words
    spikeCount = Int(
      parallelSum(Self.wordCount(shape), grain: 8192) { _, part in
        Double(part.reduce(0) { $0 + words[$1].nonzeroBitCount })
      })
  }

  /// Spikes where `isSpike` says so, called for each element in the order of unpacked memory.
  public init(
    _ shape: Shape, amplitude: Float = 1, in arena: Arena, where isSpike: (Int) -> Bool
  ) {
    self.init(shape, amplitude: amplitude, in: arena)
    words.update(repeating: 0, count: Self.wordCount(shape))
    for index in 0..<shape.count where isSpike(index) { self[index] = true }
  }

  /// A copy whose spikes stand for another value.
  public borrowing func copy(amplitude: Float, in arena: Arena) -> SpikeTensor {
    var copy = SpikeTensor(shape, amplitude: amplitude, in: arena)
    copy.words.update(from: words, count: Self.wordCount(shape))
    copy.spikeCount = spikeCount
    return copy
  }

  /// The spikes of the pixels at multiples of `stride` in either direction.
  borrowing func everyPixel(of stride: Int, in arena: Arena) -> SpikeTensor {
    let output = SlidingWindow(kernel: 1, stride: stride).output(of: shape, channels: shape.c)
    var result = SpikeTensor(output, amplitude: amplitude, in: arena)
    let (source, destination, size) = (words, result.words, shape)
    let count = Self.wordsPerPixel(channels: shape.c)
    let spikes = parallelSum(output.n * output.h, grain: 64) { _, part in
      var spikes = 0
      for row in part {
        let (sample, y) = row.quotientAndRemainder(dividingBy: output.h)
        let from = source + (sample * size.h + y * stride) * size.w * count
        let to = destination + row * output.w * count
        for x in 0..<output.w {
          for word in 0..<count {
            to[x * count + word] = from[x * stride * count + word]
            spikes += to[x * count + word].nonzeroBitCount
          }
        }
      }
      return Double(spikes)
    }
    result.spikeCount = Int(spikes)
    return result
  }

  /// The spikes where `other` has spikes too, standing for another value.
  borrowing func intersection(
    _ other: borrowing SpikeTensor, amplitude: Float, in arena: Arena
  ) -> SpikeTensor {
    precondition(other.shape == shape)
    var both = SpikeTensor(shape, amplitude: amplitude, in: arena)
    let (a, b, destination) = (words, other.words, both.words)
    let count = parallelSum(Self.wordCount(shape), grain: 8192) { _, part in
      var count = 0
      for word in part {
        destination[word] = a[word] & b[word]
        count += destination[word].nonzeroBitCount
      }
      return Double(count)
    }
    both.spikeCount = Int(count)
    return both
  }
}
