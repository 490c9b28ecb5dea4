/// The extents of a tensor in NHWC layout: samples, height, width, channels.
public struct Shape: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// Samples.
  public var n: Int
  /// Height in pixels.
  public var h: Int
  /// Width in pixels.
  public var w: Int
  /// Channels, contiguous in memory.
  public var c: Int

  /// - Precondition: no extent is negative.
  public init(n: Int, h: Int = 1, w: Int = 1, c: Int) {
    precondition(n >= 0 && h >= 0 && w >= 0 && c >= 0)
    self.n = n
    self.h = h
    self.w = w
    self.c = c
  }

  /// Elements in all.
  public var count: Int { pixels * c }

  /// Pixels of all samples: rows of `c` elements.
  public var pixels: Int { n * h * w }

  /// The same extents for another number of samples.
  public func withSamples(_ n: Int) -> Shape { Shape(n: n, h: h, w: w, c: c) }

  public var description: String { "\(n)x\(h)x\(w)x\(c)" }
}

/// A window that slides over an image: the geometry of convolution and pooling.
public struct SlidingWindow: Hashable, Sendable {
  /// Extent of the window in pixels, in both directions.
  public var kernel: Int
  /// Step of the window in pixels.
  public var stride: Int
  /// Zeros around the image in pixels.
  public var padding: Int

  /// - Precondition: `kernel` and `stride` are positive, `padding` is not negative.
  public init(kernel: Int, stride: Int = 1, padding: Int = 0) {
    precondition(kernel > 0 && stride > 0 && padding >= 0)
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  /// Positions of the window along `extent` pixels.
  public func positions(along extent: Int) -> Int {
    let slack = extent + 2 * padding - kernel
    return slack < 0 ? 0 : slack / stride + 1
  }

  /// The positions over an image, with `channels` channels each.
  public func output(of input: Shape, channels: Int) -> Shape {
    Shape(n: input.n, h: positions(along: input.h), w: positions(along: input.w), c: channels)
  }

  /// The pixels along `extent` that the window at `position` covers, padding left out.
  func covered(by position: Int, along extent: Int) -> Range<Int> {
    let start = position * stride - padding
    let lower = max(0, start)
    return lower..<max(lower, min(extent, start + kernel))
  }
}
