import Support

/// A rectangle of pixels; `x` and `y` are its left and top edge.
struct PixelRectangle: Equatable {
  var x = 0
  var y = 0
  var width: Int
  var height: Int
}

/// Resizes with the antialiased bilinear filter of Pillow, bit for bit: a triangle as wide as the
/// reduction, in 22-bit fixed point, first along rows, then along columns, rounded to 8 bits after
/// each. (Pillow 13 exchanges the passes for some sizes, which changes samples by up to 1.)
///
/// A resampler serves one thread at a time and reuses its memory from image to image.
struct Resampler {
  private var horizontal = Taps()
  private var vertical = Taps()
  private var rows: [UInt8] = []
  private var sums: [Int32] = []

  /// Resizes `region` of `source` to `width` x `height` pixels and keeps `window` of the result.
  ///
  /// The filter does not look beyond the region, as if it had been cut out before.
  mutating func resize(
    _ source: DecodedImage, region: PixelRectangle, toWidth width: Int, height: Int,
    window: PixelRectangle, into target: inout DecodedImage
  ) {
    precondition(window.x >= 0 && window.x + window.width <= width, "the window is inside")
    precondition(window.y >= 0 && window.y + window.height <= height, "the window is inside")
    let channels = source.channels
    target.reshape(width: window.width, height: window.height, channels: channels)
    horizontal.prepare(region.width, to: width, range: window.x..<window.x + window.width)
    vertical.prepare(region.height, to: height, range: window.y..<window.y + window.height)

    // The rows of the region that the second pass needs, as wide as the window.
    let needed = vertical.inputs
    let rowSize = window.width * channels
    rows.resize(to: needed.count * rowSize)
    sums.resize(to: rowSize)
    source.pixels.withUnsafeBufferPointer { input in
      rows.withUnsafeMutableBufferPointer { output in
        for y in needed {
          let from = input.baseAddress! + source.offset(x: region.x, y: region.y + y)
          let to = output.baseAddress! + (y - needed.lowerBound) * rowSize
          if channels == 3 {
            horizontal.filterRGB(from, into: to)
          } else {
            horizontal.filterGray(from, into: to)
          }
        }
      }
    }
    rows.withUnsafeBufferPointer { input in
      sums.withUnsafeMutableBufferPointer { sums in
        target.pixels.withUnsafeMutableBufferPointer { output in
          for y in 0..<window.height {
            vertical.filterRow(
              y, of: input.baseAddress!, firstRow: needed.lowerBound,
              sums: sums, into: output.baseAddress! + y * rowSize)
          }
        }
      }
    }
  }
}

/// For a range of output positions along one axis: where in the input each begins to look, and the
/// weights of the positions from there on.
private struct Taps {
  private static let precision: Int32 = 22
  private static let half: Int32 = 1 << (precision - 1)

  private var starts: [Int] = []
  private var counts: [Int] = []
  /// `stride` weights an output.
  private var weights: [Int32] = []
  private var stride = 0
  /// All input positions that some output looks at.
  private(set) var inputs = 0..<0

  mutating func prepare(_ inputSize: Int, to outputSize: Int, range: Range<Int>) {
    let scale = Double(inputSize) / Double(outputSize)
    let support = max(scale, 1)
    stride = Int(support.rounded(.up)) * 2 + 1
    starts.resize(to: range.count)
    counts.resize(to: range.count)
    weights.resize(to: range.count * stride)
    for (slot, position) in range.enumerated() {
      let center = (Double(position) + 0.5) * scale
      let start = max(Int(center - support + 0.5), 0)
      let count = min(Int(center + support + 0.5), inputSize) - start
      func triangle(_ tap: Int) -> Double {
        max(0, 1 - abs((Double(tap + start) - center + 0.5) * (1 / support)))
      }
      var sum = 0.0
      for tap in 0..<count { sum += triangle(tap) }
      for tap in 0..<count {
        weights[slot * stride + tap] = Int32(triangle(tap) / sum * 0x1p22 + 0.5)
      }
      (starts[slot], counts[slot]) = (start, count)
    }
    let last = range.count - 1
    inputs = starts[0]..<starts[last] + counts[last]
  }

  /// Filters one row of three interleaved channels.
  func filterRGB(_ input: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) {
    weights.withUnsafeBufferPointer { weights in
      for slot in 0..<starts.count {
        var (red, green, blue) = (Self.half, Self.half, Self.half)
        var pixel = input + 3 * starts[slot]
        for tap in slot * stride..<slot * stride + counts[slot] {
          let weight = weights[tap]
          red &+= weight &* Int32(pixel[0])
          green &+= weight &* Int32(pixel[1])
          blue &+= weight &* Int32(pixel[2])
          pixel += 3
        }
        output[3 * slot] = Self.rounded(red)
        output[3 * slot + 1] = Self.rounded(green)
        output[3 * slot + 2] = Self.rounded(blue)
      }
    }
  }

  /// Filters one row of one channel.
  func filterGray(_ input: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) {
    weights.withUnsafeBufferPointer { weights in
      for slot in 0..<starts.count {
        var sum = Self.half
        for tap in 0..<counts[slot] {
          sum &+= weights[slot * stride + tap] &* Int32(input[starts[slot] + tap])
        }
        output[slot] = Self.rounded(sum)
      }
    }
  }

  /// Makes output row `slot` from several rows of `sums.count` samples; `input` begins with the row
  /// of position `firstRow`.
  func filterRow(
    _ slot: Int, of input: UnsafePointer<UInt8>, firstRow: Int,
    sums: UnsafeMutableBufferPointer<Int32>, into output: UnsafeMutablePointer<UInt8>
  ) {
    sums.update(repeating: Self.half)
    for tap in 0..<counts[slot] {
      let weight = weights[slot * stride + tap]
      let row = input + (starts[slot] - firstRow + tap) * sums.count
      for x in 0..<sums.count { sums[x] &+= weight &* Int32(row[x]) }
    }
    for x in 0..<sums.count { output[x] = Self.rounded(sums[x]) }
  }

  /// From fixed point to a sample. The weights are positive and sum to 1 but for rounding.
  @inline(__always)
  private static func rounded(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(sum >> precision, 255))
  }
}
