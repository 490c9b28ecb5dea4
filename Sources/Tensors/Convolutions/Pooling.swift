internal import CSpikeKernels

/// Average pooling of NHWC images, forward and backward.
///
/// Every output pixel is the mean of a rectangle of input pixels (zeros outside included).
public struct AveragePooling {
  private let rows, columns: Axis
  private let input: Shape
  /// The one that slides; `nil` where windows have several sizes.
  public let window: SlidingWindow?

  /// One direction: which input pixels each output pixel covers, and what its sum is divided by.
  private struct Axis {
    /// Of the output pixels.
    let covered: [sltt_span]
    /// Of the input pixels: the output pixels that cover them.
    let covering: [sltt_span]
    /// Of the output pixels: the share of each input pixel.
    let weights: [Float]

    /// - Parameter windows: for each output pixel, in ascending order.
    init(_ windows: [(covered: Range<Int>, extent: Int)], input: Int) {
      covered = windows.map { Self.span($0.covered) }
      // Windows ascend at both ends, so those that cover a pixel follow each other.
      var outputs = 0..<0
      covering = (0..<input).map { pixel in
        var (first, end) = (outputs.lowerBound, outputs.upperBound)
        while end < windows.count, windows[end].covered.lowerBound <= pixel { end += 1 }
        while first < end, windows[first].covered.upperBound <= pixel { first += 1 }
        outputs = first..<end
        return Self.span(outputs)
      }
      weights = windows.map { 1 / Float($0.extent) }
    }

    private static func span(_ range: Range<Int>) -> sltt_span {
      sltt_span(first: UInt32(range.lowerBound), last: UInt32(range.upperBound))
    }
  }

  /// A window that slides; padding counts as zeros in the mean, as in PyTorch's `avg_pool2d`.
  public init(input: Shape, window: SlidingWindow) {
    func axis(_ extent: Int) -> Axis {
      Axis(
        (0..<window.positions(along: extent)).map {
          (window.covered(by: $0, along: extent), window.kernel)
        }, input: extent)
    }
    self.input = input
    self.window = window
    rows = axis(input.h)
    columns = axis(input.w)
  }

  /// As many output pixels as wanted, whatever the input's size, as in PyTorch's
  /// `adaptive_avg_pool2d`: output i covers floor(i h / H) ..< ceil((i + 1) h / H).
  public init(input: Shape, adaptiveHeight: Int, width: Int) {
    func axis(_ extent: Int, _ count: Int) -> Axis {
      Axis(
        (0..<count).map {
          let covered = $0 * extent / count..<(($0 + 1) * extent + count - 1) / count
          return (covered, covered.count)
        }, input: extent)
    }
    self.input = input
    let kernel = input.h / adaptiveHeight
    let isUniform = input.h == kernel * adaptiveHeight && input.w == kernel * width
    window = isUniform ? SlidingWindow(kernel: kernel, stride: kernel) : nil
    rows = axis(input.h, adaptiveHeight)
    columns = axis(input.w, width)
  }

  /// Shape of the output for `samples` samples.
  public func output(samples: Int) -> Shape {
    Shape(n: samples, h: rows.covered.count, w: columns.covered.count, c: input.c)
  }

  /// The means.
  public func forward(_ x: borrowing Tensor, in arena: Arena) -> Tensor {
    precondition(x.shape == input.withSamples(x.shape.n))
    let y = Tensor(output(samples: x.shape.n), in: arena)
    let (source, destination) = (x.pointer, y.pointer)
    forEachRow(of: y.shape) { pooling, part in
      sltt_pool(pooling, source, destination, part.lowerBound, part.upperBound)
    }
    return y
  }

  /// The means of what spikes stand for.
  public func forward(_ x: Spikes, in arena: Arena) -> Tensor {
    var y = forward(x.planes[0].spikes, in: arena)
    for plane in x.planes.dropFirst() { y.add(forward(plane.spikes, in: arena)) }
    return y
  }

  private func forward(_ x: borrowing SpikeTensor, in arena: Arena) -> Tensor {
    precondition(x.shape == input.withSamples(x.shape.n))
    let y = Tensor(output(samples: x.shape.n), in: arena)
    let (source, destination, amplitude) = (x.words, y.pointer, x.amplitude)
    forEachRow(of: y.shape) { pooling, part in
      sltt_pool_spikes(
        pooling, source, amplitude, destination, part.lowerBound, part.upperBound)
    }
    return y
  }

  /// dL/dx from dL/dy.
  public func backward(_ gy: borrowing Tensor, in arena: Arena) -> Tensor {
    precondition(gy.shape == output(samples: gy.shape.n))
    let gx = Tensor(input.withSamples(gy.shape.n), in: arena)
    let (source, destination) = (gy.pointer, gx.pointer)
    forEachRow(of: gx.shape, isTransposed: true) { pooling, part in
      sltt_pool(pooling, source, destination, part.lowerBound, part.upperBound)
    }
    return gx
  }

  /// Runs `body` on parts of a result's rows in parallel.
  private func forEachRow(
    of result: Shape, isTransposed: Bool = false,
    _ body: (UnsafePointer<sltt_pooling>, _ part: Range<Int>) -> Void
  ) {
    let source = isTransposed ? output(samples: 1) : input
    let (rowSpans, columnSpans) =
      isTransposed ? (rows.covering, columns.covering) : (rows.covered, columns.covered)
    rowSpans.withUnsafeBufferPointer { rowSpans in
      columnSpans.withUnsafeBufferPointer { columnSpans in
        rows.weights.withUnsafeBufferPointer { rowWeights in
          columns.weights.withUnsafeBufferPointer { columnWeights in
            let pooling = sltt_pooling(
              channels: input.c, height: source.h, width: source.w, output_height: result.h,
              output_width: result.w, rows: rowSpans.baseAddress,
              columns: columnSpans.baseAddress, row_weights: rowWeights.baseAddress,
              column_weights: columnWeights.baseAddress, is_transposed: isTransposed ? 1 : 0)
            let grain = pixelGrain(channels: input.c * result.w)
            parallelFor(result.n * result.h, grain: grain) { _, part in
              withUnsafePointer(to: pooling) { body($0, part) }
            }
          }
        }
      }
    }
  }
}
