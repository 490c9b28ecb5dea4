/// Average pooling of NHWC images, forward and backward.
///
/// Every output pixel is the mean of a rectangle of input pixels (zeros outside included).
public struct AveragePooling {
  /// One direction: which input pixels each output pixel covers, and the extent it divides by.
  private let rows: [(covered: Range<Int>, extent: Int)]
  private let columns: [(covered: Range<Int>, extent: Int)]
  private let input: Shape

  /// A window that slides; padding counts as zeros in the mean, as in PyTorch's `avg_pool2d`.
  public init(input: Shape, window: SlidingWindow) {
    func positions(_ extent: Int) -> [(Range<Int>, Int)] {
      (0..<window.positions(along: extent)).map {
        (window.covered(by: $0, along: extent), window.kernel)
      }
    }
    self.input = input
    rows = positions(input.h)
    columns = positions(input.w)
  }

  /// As many output pixels as wanted, whatever the input's size, as in PyTorch's
  /// `adaptive_avg_pool2d`: output i covers floor(i h / H) ..< ceil((i + 1) h / H).
  public init(input: Shape, adaptiveHeight: Int, width: Int) {
    func positions(_ extent: Int, _ count: Int) -> [(Range<Int>, Int)] {
      (0..<count).map {
        let covered = $0 * extent / count..<(($0 + 1) * extent + count - 1) / count
        return (covered, covered.count)
      }
    }
    self.input = input
    rows = positions(input.h, adaptiveHeight)
    columns = positions(input.w, width)
  }

  /// Shape of the output for `samples` samples.
  public func output(samples: Int) -> Shape {
    Shape(n: samples, h: rows.count, w: columns.count, c: input.c)
  }

  /// The means.
  public func forward(_ x: borrowing Tensor, in arena: Arena) -> Tensor {
    precondition(x.shape == input.withSamples(x.shape.n))
    let y = Tensor(output(samples: x.shape.n), in: arena)
    let (source, destination, channels) = (x.pointer, y.pointer, input.c)
    forEachOutputRow(samples: x.shape.n) { sample, oy in
      for ox in columns.indices {
        let out = destination + ((sample * rows.count + oy) * columns.count + ox) * channels
        let share = share(oy, ox)
        out.update(repeating: 0, count: channels)
        for y in rows[oy].covered {
          for x in columns[ox].covered {
            let pixel = source + ((sample * input.h + y) * input.w + x) * channels
            for c in 0..<channels { out[c] += share * pixel[c] }
          }
        }
      }
    }
    return y
  }

  /// dL/dx from dL/dy.
  public func backward(_ gy: borrowing Tensor, in arena: Arena) -> Tensor {
    precondition(gy.shape == output(samples: gy.shape.n))
    let samples = gy.shape.n
    let gx = Tensor(input.withSamples(samples), in: arena)
    let (source, destination, channels) = (gy.pointer, gx.pointer, input.c)
    // Windows may overlap: a thread takes whole samples, so that no two write to one pixel.
    parallelFor(samples) { _, part in
      for sample in part {
        let image = destination + sample * input.h * input.w * channels
        image.update(repeating: 0, count: input.h * input.w * channels)
        for oy in rows.indices {
          for ox in columns.indices {
            let out = source + ((sample * rows.count + oy) * columns.count + ox) * channels
            let share = share(oy, ox)
            for y in rows[oy].covered {
              for x in columns[ox].covered {
                let pixel = image + (y * input.w + x) * channels
                for c in 0..<channels { pixel[c] += share * out[c] }
              }
            }
          }
        }
      }
    }
    return gx
  }

  private func share(_ oy: Int, _ ox: Int) -> Float {
    1 / Float(rows[oy].extent * columns[ox].extent)
  }

  private func forEachOutputRow(samples: Int, _ body: (_ sample: Int, _ oy: Int) -> Void) {
    parallelFor(samples * rows.count) { _, part in
      for row in part { body(row / rows.count, row % rows.count) }
    }
  }
}
