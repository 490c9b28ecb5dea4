internal import CSpikeKernels

/// `scale[c] * x + shift[c]` for each channel c: a normalisation whose consumer applies it.
public struct ChannelAffine {
  /// [channels]
  public let scale: FloatView
  /// [channels]
  public let shift: FloatView

  public init(scale: FloatView, shift: FloatView) {
    precondition(scale.count == shift.count)
    self.scale = scale
    self.shift = shift
  }

  /// The same factor for all channels.
  public init(uniform factor: Float, channels: Int) {
    let buffer = FlatBuffer(count: 2 * channels)
    self.init(scale: buffer[0..<channels], shift: buffer[channels..<2 * channels])
    scale.fill(factor)
  }
}

/// Two sums for each channel over all pixels of a tensor, in double precision.
public final class ChannelSums {
  /// Number of channels.
  public let channels: Int
  /// Of all channels and parts of the rows: adding them up takes little beside the pass over the rows.
  private static let mostSums = 4096
  /// [2, channels]
  private let sums: UnsafeMutablePointer<Double>

  /// Sums of nothing.
  public init(channels: Int) {
    self.channels = channels
    sums = .allocate(capacity: 2 * channels)
    reset()
  }

  deinit {
    sums.deallocate()
  }

  /// The first sum of channel `c`.
  public func first(_ c: Int) -> Double { sums[c] }

  /// The second sum of channel `c`.
  public func second(_ c: Int) -> Double { sums[channels + c] }

  /// Makes all sums 0.
  public func reset() { sums.update(repeating: 0, count: 2 * channels) }

  /// Adds the sums over other pixels.
  public func add(_ other: ChannelSums) {
    precondition(other.channels == channels)
    for index in 0..<2 * channels { sums[index] += other.sums[index] }
  }

  /// Sums of `x - pivot` and of its square over the pixels of `x`.
  public func takeMoments(of x: borrowing Tensor, around pivot: FloatView) {
    precondition(x.shape.c == channels)
    takeMoments(x.pointer, rows: x.shape.pixels, pivot)
  }

  /// The same over the rows of a matrix [rows, channels].
  public func takeMoments(ofRows matrix: FloatView, around pivot: FloatView) {
    takeMoments(matrix.base, rows: matrix.count / channels, pivot)
  }

  private func takeMoments(_ values: UnsafePointer<Float>, rows: Int, _ pivot: FloatView) {
    precondition(pivot.count == channels)
    let channels = channels
    _ = accumulate(rows: rows) { sums, part in
      sltt_channel_moments(
        values, pivot.base, sums, channels, part.lowerBound, part.upperBound)
      return 0
    }
  }

  /// Sums of `g` and of `g (x - mean)` over the rows of matrices [rows, channels].
  public func takeProducts(ofRows g: FloatView, with x: FloatView, mean: FloatView) {
    precondition(g.count == x.count && mean.count == channels)
    let channels = channels
    _ = accumulate(rows: g.count / channels) { sums, part in
      sltt_channel_products(
        g.base, x.base, mean.base, sums, channels, part.lowerBound, part.upperBound)
      return 0
    }
  }

  /// Runs `body` on parts of the rows in parallel, each adding to sums of its own ([2, channels]),
  /// then adds those up. The sums do not depend on the number of threads.
  ///
  /// - Returns: the sum of what `body` returned.
  func accumulate(
    rows: Int, _ body: (_ sums: UnsafeMutablePointer<Double>, _ part: Range<Int>) -> Double
  ) -> Double {
    let most = max(1, Self.mostSums / channels)
    let grain = max(pixelGrain(channels: channels), (rows + most - 1) / most)
    let (count, stride) = (fixedParts(rows, grain: grain), 2 * channels)
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: count * stride) { parts in
      let base = parts.baseAddress!
      let returned = parallelSum(rows, grain: grain) { number, part in
        let own = base + number * stride
        own.update(repeating: 0, count: stride)
        return body(own, part)
      }
      sums.update(from: base, count: stride)
      for part in 1..<count {
        let own = base + part * stride
        for index in 0..<stride { sums[index] += own[index] }
      }
      return returned
    }
  }
}

/// Pixels that are worth a thread's while in a pass over memory.
func pixelGrain(channels: Int) -> Int { 1 + 8192 / max(channels, 1) }

extension Tensor {
  /// `self = a self + b x + c`, with a value of a, b and c for each channel.
  ///
  /// - Parameter rounding: whether a convolution will want the result in bfloat16 as well.
  public mutating func combine(
    a: FloatView, b: FloatView, with x: NormalizationInput, c: FloatView, rounding: Bool = false
  ) {
    precondition(x.shape == shape && a.count == shape.c)
    let rounded = willChange(rounding: rounding)
    combineRows(
      pointer, rounded: rounded, x.exact, x.centered, rows: shape.pixels, a, b, c)
  }
}

extension FloatView {
  /// `self = a self + b x + c` for matrices [rows, channels], with a value of a, b and c for each
  /// channel.
  public func combineRows(a: FloatView, b: FloatView, with x: FloatView, c: FloatView) {
    precondition(x.count == count && count % a.count == 0)
    Tensors.combineRows(base, rounded: nil, x.base, nil, rows: count / a.count, a, b, c)
  }

  /// Writes `scale self + shift` of a matrix [rows, channels].
  func copyRows(to destination: UnsafeMutablePointer<Float>, _ affine: ChannelAffine) {
    let (source, channels) = (base, affine.scale.count)
    precondition(count % channels == 0)
    let (scale, shift) = (affine.scale.base, affine.shift.base)
    parallelFor(count / channels, grain: pixelGrain(channels: channels)) { _, part in
      for row in part {
        let (to, from) = (destination + row * channels, source + row * channels)
        for c in 0..<channels { to[c] = scale[c] * from[c] + shift[c] }
      }
    }
  }
}

private func combineRows(
  _ gradient: UnsafeMutablePointer<Float>, rounded: UnsafeMutablePointer<UInt16>?,
  _ values: UnsafePointer<Float>?, _ roundedValues: UnsafePointer<UInt16>?, rows: Int,
  _ a: FloatView, _ b: FloatView, _ c: FloatView
) {
  let channels = a.count
  precondition(b.count == channels && c.count == channels)
  parallelFor(rows, grain: pixelGrain(channels: channels)) { _, part in
    sltt_combine(
      gradient, rounded, values, roundedValues, a.base, b.base, c.base, channels, part.lowerBound,
      part.upperBound)
  }
}
