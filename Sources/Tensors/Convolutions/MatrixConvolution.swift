internal import COpenBLAS

/// A convolution as a matrix product by OpenBLAS over unfolded images ("im2col"), one sample at a time,
/// samples in parallel, and of each a band of rows after the other.
///
/// The unfolded band of a sample is a matrix [output pixels, kernel * kernel * input channels], so
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

  func packedBytes(for pass: ConvolutionPass, samples: Int, ofSpikes: Bool) -> Int { 0 }

  func weightsDidChange() {}

  func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    checkShapes(x.shape, y.shape)
    y.willChange()
    let (patch, channels) = (patch, geometry.outputChannels)
    let (input, output) = (x.pointer, y.pointer)
    weights.withElements(in: arena) { weights in
      forEachBand(samples: x.shape.n) { sample, band, columns in
        unfold(input + sample * inputStride, band, 0..<patch, columns)
        let rows = output + (sample * outputPixels + band.lowerBound) * channels
        if let bias {
          for pixel in 0..<band.count {
            for c in 0..<channels {
              let before = accumulating ? rows[pixel * channels + c] : 0
              rows[pixel * channels + c] = before + bias.base[c]
            }
          }
        }
        MatrixProduct(m: band.count, n: channels, k: patch).multiply(
          columns, weights, into: rows, adding: accumulating || bias != nil)
      }
    }
  }

  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor) {
    checkShapes(gx.shape, gy.shape)
    gx.willChange()
    let (patch, channels) = (patch, geometry.outputChannels)
    let (input, output) = (gx.pointer, gy.pointer)
    weights.withElements(in: arena) { weights in
      forEachBand(samples: gx.shape.n) { sample, band, columns in
        let image = input + sample * inputStride
        if band.lowerBound == 0 { image.update(repeating: 0, count: inputStride) }
        MatrixProduct(m: band.count, n: patch, k: channels, transposingB: true).multiply(
          output + (sample * outputPixels + band.lowerBound) * channels, weights, into: columns,
          adding: false)
        fold(columns, band, image)
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
    let sums = GradientSums(
      weightGradient, bias: biasGradient, outputs: channels, samples: x.shape.n, units: units,
      arena)
    let columns = Scratch(gradientColumns(groups: sums.groups), arena)
    sums.forEachPart { thread, group, part in
      for sample in sums.samples(of: group) {
        for band in bands {
          let rows = output + (sample * outputPixels + band.lowerBound) * channels
          for unit in part {
            let first = unit * Self.unit
            let taps = first..<min(first + Self.unit, patch)
            unfold(input + sample * inputStride, band, taps, columns[thread])
            MatrixProduct(m: taps.count, n: channels, k: band.count, transposingA: true).multiply(
              columns[thread], rows, into: sums[group].weights + first * channels, adding: true)
          }
          guard let bias = sums[group].bias, part.lowerBound == 0 else { continue }
          for pixel in 0..<band.count {
            for c in 0..<channels { bias[c] += rows[pixel * channels + c] }
          }
        }
      }
    }
    sums.addUp()
  }

  /// Rows of the weights whose gradients are one product. Bits may depend on a product's size, so threads
  /// have no say in it.
  private static let unit = 128
  private var units: Int { (patch + Self.unit - 1) / Self.unit }

  /// For each thread, the columns of a unit.
  private func gradientColumns(groups: Int) -> Scratch.Size {
    Scratch.Size(
      floats: (bands.first?.count ?? 0) * min(patch, Self.unit),
      parts: parallelParts(groups * units))
  }

  func scratchBytes(samples: Int) -> Int {
    let sums = GradientSums.size(
      geometry.weightCount + geometry.outputChannels, samples: samples, units: units)
    let groups = GradientSums.groups(samples: samples, units: units)
    // Spikes become floats first, and weights may have to be standardised.
    let floats = 4 * geometry.input(samples: samples).count
    return floats
      + max(
        4 * geometry.weightCount + columnsSize(parts: parallelParts(samples)).bytes,
        sums.bytes + gradientColumns(groups: groups).bytes)
  }

  /// Floats of an image, and pixels of what becomes of it.
  private var inputStride: Int { geometry.input(samples: 1).count }
  private var outputPixels: Int { geometry.output(samples: 1).pixels }

  /// Pixels of an image's output, in whole rows, whose patches are unfolded at a time.
  private var bands: [Range<Int>] {
    let output = geometry.output(samples: 1)
    let length = max(1, Self.unfoldedCount / (patch * output.w)) * output.w
    return stride(from: 0, to: output.pixels, by: length).map {
      $0..<min($0 + length, output.pixels)
    }
  }

  /// Floats of a band that stay in the second-level cache.
  private static let unfoldedCount = 1 << 18

  /// Room for a band on each of some threads.
  private func columnsSize(parts: Int) -> Scratch.Size {
    Scratch.Size(floats: (bands.first?.count ?? 0) * patch, parts: parts)
  }

  /// Calls `body` for the bands of each sample, samples in parallel, with memory for an unfolded band.
  private func forEachBand(
    samples: Int,
    _ body: (_ sample: Int, _ band: Range<Int>, _ columns: UnsafeMutablePointer<Float>) -> Void
  ) {
    let columns = Scratch(columnsSize(parts: parallelParts(samples)), arena)
    parallelFor(samples) { thread, part in
      for sample in part {
        for band in bands { body(sample, band, columns[thread]) }
      }
    }
  }

  /// Copies what is under each position of the window to a row of `columns`: of the patch, a part.
  private func unfold(
    _ image: UnsafePointer<Float>, _ band: Range<Int>, _ part: Range<Int>,
    _ columns: UnsafeMutablePointer<Float>
  ) {
    columns.update(repeating: 0, count: band.count * part.count)
    let channels = geometry.inputChannels
    forEachTap(band) { row, tap, pixel in
      let first = tap * channels
      let wanted = part.clamped(to: first..<first + channels)
      (columns + row * part.count + wanted.lowerBound - part.lowerBound).update(
        from: image + pixel * channels + wanted.lowerBound - first, count: wanted.count)
    }
  }

  /// Adds each row of `columns` to the patch under its position of the window.
  private func fold(
    _ columns: UnsafePointer<Float>, _ band: Range<Int>, _ image: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.inputChannels
    forEachTap(band) { row, tap, pixel in
      let patch = columns + row * patch + tap * channels
      for c in 0..<channels { image[pixel * channels + c] += patch[c] }
    }
  }

  /// Visits every pixel under every position of the window in whole rows of the output: the number of the
  /// position in the band, that of the pixel in the window, and in the image.
  private func forEachTap(
    _ band: Range<Int>, _ body: (_ row: Int, _ tap: Int, _ pixel: Int) -> Void
  ) {
    let (window, width) = (geometry.window, geometry.inputWidth)
    let output = geometry.output(samples: 1)
    for (row, position) in band.enumerated() {
      let (oy, ox) = position.quotientAndRemainder(dividingBy: output.w)
      for y in window.covered(by: oy, along: geometry.inputHeight) {
        for x in window.covered(by: ox, along: width) {
          let ky = y - (oy * window.stride - window.padding)
          let kx = x - (ox * window.stride - window.padding)
          body(row, ky * window.kernel + kx, y * width + x)
        }
      }
    }
  }
}
