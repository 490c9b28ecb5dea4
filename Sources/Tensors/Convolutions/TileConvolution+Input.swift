internal import CSpikeKernels

/// The gradient of the input: of the output's gradient, each class of input pixels meets those taps that lie
/// whole strides away.
extension TileConvolution {
  /// Bytes of weights that are packed at a time where they are not kept.
  private static let sliceBytes = 2 << 20

  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor) {
    checkShapes(gx.shape, gy.shape)
    gx.willChange()
    let pairs = withUnsafePointer(to: inputShape, sltt_tile_input_pairs)
    let (samples, output, input) = (gy.shape.n, gy.pointer, gx.pointer)
    // Neurons may have rounded it already.
    let rounded = inputShape.parts == 1 ? gy.rounded : nil
    let scratch = Scratch(inputScratch(samples: samples), arena)
    func multiply(_ slice: Range<Int>, _ packed: UnsafePointer<Float>) {
      withUnsafePointer(to: inputShape) { shape in
        parallelFor(sltt_tile_input_rows(shape, samples)) { thread, part in
          sltt_tile_input_gradient(
            shape, output, rounded?.pointer, samples, slice.lowerBound, slice.upperBound, packed,
            input, scratch[thread], part.lowerBound, part.upperBound)
        }
      }
    }
    if keepsPacked {
      transposed.with(in: arena) {
        transpose(weights, 0..<pairs, into: $0)
      } _: {
        multiply(0..<pairs, $0)
      }
    } else {
      let packed = Scratch(sliceSize, arena)
      for first in stride(from: 0, to: pairs, by: slicePairs) {
        let slice = first..<min(pairs, first + slicePairs)
        transpose(weights, slice, into: packed[0])
        multiply(slice, packed[0])
      }
    }
  }

  private func transpose(
    _ weights: ConvolutionWeights, _ slice: Range<Int>, into packed: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: inputShape) { shape in
      parallelFor(slice.count) { _, part in
        withUnsafePointer(to: weights.view) {
          sltt_tile_transpose(
            shape, $0, slice.lowerBound, packed, slice.lowerBound + part.lowerBound,
            slice.lowerBound + part.upperBound)
        }
      }
    }
  }

  private var slicePairs: Int {
    withUnsafePointer(to: inputShape) {
      min(sltt_tile_input_pairs($0), max(1, Self.sliceBytes / sltt_tile_transposed_bytes($0)))
    }
  }

  var sliceSize: Scratch.Size {
    Scratch.Size(bytes: slicePairs * withUnsafePointer(to: inputShape, sltt_tile_transposed_bytes))
  }

  func inputScratch(samples: Int) -> Scratch.Size {
    withUnsafePointer(to: inputShape) {
      Scratch.Size(
        bytes: sltt_tile_input_scratch_bytes($0, samples),
        parts: parallelParts(sltt_tile_input_rows($0, samples)))
    }
  }
}
