internal import COpenBLAS

/// A convolution as a matrix product by OpenBLAS over unfolded images ("im2col"), one sample at a time,
/// samples in parallel.
///
/// The unfolded image of a sample is a matrix [output pixels, kernel * kernel * input channels], so
/// with the weights [kernel * kernel * input channels, output channels] the product is NHWC again.
final class MatrixConvolution: Convolution {
  let geometry: ConvolutionGeometry
  let arena: Arena

  init(_ geometry: ConvolutionGeometry, arena: Arena) {
    self.geometry = geometry
    self.arena = arena
  }

  private var patch: Int {
    geometry.window.kernel * geometry.window.kernel * geometry.inputChannels
  }

  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel {
    .openBLAS
  }

  var packedBytes: Int { 0 }

  func weightsDidChange() {}

  func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    checkShapes(x.shape, y.shape)
    y.willChange()
    let (patch, channels) = (patch, geometry.outputChannels)
    let (input, output) = (x.pointer, y.pointer)
    let (inputStride, pixels) = (x.shape.count / max(x.shape.n, 1), y.shape.h * y.shape.w)
    weights.withElements(in: arena) { weights in
      withUnfolded(samples: x.shape.n) { sample, columns in
        unfold(input + sample * inputStride, columns)
        let rows = output + sample * pixels * channels
        if let bias {
          for pixel in 0..<pixels {
            for c in 0..<channels {
              let before = accumulating ? rows[pixel * channels + c] : 0
              rows[pixel * channels + c] = before + bias.base[c]
            }
          }
        }
        MatrixProduct(m: pixels, n: channels, k: patch).multiply(
          columns, weights, into: rows, adding: accumulating || bias != nil)
      }
    }
  }

  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor) {
    checkShapes(gx.shape, gy.shape)
    gx.willChange()
    let (patch, channels) = (patch, geometry.outputChannels)
    let (input, output) = (gx.pointer, gy.pointer)
    let (inputStride, pixels) = (gx.shape.count / max(gx.shape.n, 1), gy.shape.h * gy.shape.w)
    weights.withElements(in: arena) { weights in
      withUnfolded(samples: gx.shape.n) { sample, columns in
        MatrixProduct(m: pixels, n: patch, k: channels, transposingB: true).multiply(
          output + sample * pixels * channels, weights, into: columns, adding: false)
        fold(columns, input + sample * inputStride)
      }
    }
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    checkShapes(x.shape, gy.shape)
    let (patch, channels) = (patch, geometry.outputChannels)
    let (input, output) = (x.pointer, gy.pointer)
    let (inputStride, pixels) = (x.shape.count / max(x.shape.n, 1), gy.shape.h * gy.shape.w)
    // A gradient for each thread, added up in a fixed order.
    let parts = parallelParts(x.shape.n)
    let size = patch * channels + channels
    let partial = Tensor(Shape(n: parts, c: size), in: arena)
    let sums = partial.pointer
    sums.update(repeating: 0, count: parts * size)
    withUnfolded(samples: x.shape.n) { thread, sample, columns in
      let rows = output + sample * pixels * channels
      let weightSums = sums + thread * size
      unfold(input + sample * inputStride, columns)
      MatrixProduct(m: patch, n: channels, k: pixels, transposingA: true).multiply(
        columns, rows, into: weightSums, adding: true)
      let biasSums = weightSums + patch * channels
      for pixel in 0..<pixels {
        for c in 0..<channels { biasSums[c] += rows[pixel * channels + c] }
      }
    }
    for part in 0..<parts {
      let weightSums = sums + part * size
      for index in 0..<patch * channels { weightGradient.base[index] += weightSums[index] }
      guard let biasGradient else { continue }
      for c in 0..<channels { biasGradient.base[c] += weightSums[patch * channels + c] }
    }
  }

  private func withUnfolded(
    samples: Int, _ body: (_ sample: Int, _ columns: UnsafeMutablePointer<Float>) -> Void
  ) {
    withUnfolded(samples: samples) { _, sample, columns in body(sample, columns) }
  }

  /// Calls `body` for each sample, in parallel, with memory for an unfolded image.
  private func withUnfolded(
    samples: Int,
    _ body: (_ thread: Int, _ sample: Int, _ columns: UnsafeMutablePointer<Float>) -> Void
  ) {
    let output = geometry.output(samples: 1)
    let size = output.pixels * patch
    let columns = Tensor(Shape(n: parallelParts(samples), c: size), in: arena)
    let base = columns.pointer
    parallelFor(samples) { thread, part in
      for sample in part { body(thread, sample, base + thread * size) }
    }
  }

  /// Copies the patch under each position of the window to a row of `columns`.
  private func unfold(_ image: UnsafePointer<Float>, _ columns: UnsafeMutablePointer<Float>) {
    columns.update(repeating: 0, count: geometry.output(samples: 1).pixels * patch)
    forEachTap { column, pixel in
      (columns + column).update(
        from: image + pixel * geometry.inputChannels, count: geometry.inputChannels)
    }
  }

  /// Adds each row of `columns` to the patch under its position of the window.
  private func fold(_ columns: UnsafePointer<Float>, _ image: UnsafeMutablePointer<Float>) {
    let channels = geometry.inputChannels
    image.update(repeating: 0, count: geometry.input(samples: 1).count)
    forEachTap { column, pixel in
      for c in 0..<channels { image[pixel * channels + c] += columns[column + c] }
    }
  }

  /// Visits every pixel under every position of the window: the offset of its channels in the
  /// unfolded image, and its number in the image.
  private func forEachTap(_ body: (_ column: Int, _ pixel: Int) -> Void) {
    let (window, width) = (geometry.window, geometry.inputWidth)
    let output = geometry.output(samples: 1)
    for oy in 0..<output.h {
      for ox in 0..<output.w {
        let row = oy * output.w + ox
        for y in window.covered(by: oy, along: geometry.inputHeight) {
          for x in window.covered(by: ox, along: width) {
            let ky = y - (oy * window.stride - window.padding)
            let kx = x - (ox * window.stride - window.padding)
            let tap = ky * window.kernel + kx
            body(row * patch + tap * geometry.inputChannels, y * width + x)
          }
        }
      }
    }
  }
}
