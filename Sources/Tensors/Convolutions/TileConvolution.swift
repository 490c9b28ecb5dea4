internal import CSpikeKernels

/// A convolution as products of tiles.
///
/// Of spikes, forward and for the weights' gradient: bits become bytes of 0 and 1, and weights or output
/// gradients fixed-point numbers of their output channel, cut into int8 parts. Three parts make errors of
/// 1e-7 of the largest result, as single precision does; mixed precision takes two, with errors of a few
/// 1e-5. The gradient of the input has real numbers on both sides, cut into bfloat16 parts: three, or one
/// in mixed precision.
///
/// Sums of int8 products are exact, and those of bfloat16 are made in the same order, so the results are
/// the same bits whichever engine multiplies, and however many threads share the work.
final class TileConvolution: ConvolutionMethod {
  let geometry: ConvolutionGeometry
  let arena: Arena
  let kernel = ConvolutionKernel.tiles
  let keepsPacked: Bool
  private let engine: TileEngine
  private let shape: sltt_tile_shape
  /// For the gradient of the input.
  let inputShape: sltt_tile_shape
  private let packed: PackedWeights
  let transposed: PackedWeights

  /// Bytes of bands that are prepared at a time for the weights' gradient.
  private static let preparedBytes = 2 << 20

  /// - Parameters:
  ///   - keepsPacked: whether packed weights stay for the next pass.
  ///   - engine: must be available.
  init(
    _ geometry: ConvolutionGeometry, _ precision: Precision, keepsPacked: Bool,
    engine: TileEngine = .best, arena: Arena
  ) {
    (self.geometry, self.arena, self.keepsPacked) = (geometry, arena, keepsPacked)
    self.engine = engine
    func shape(parts: Int) -> sltt_tile_shape {
      let (output, window) = (geometry.output(samples: 1), geometry.window)
      return sltt_tile_shape(
        height: geometry.inputHeight, width: geometry.inputWidth, inputs: geometry.inputChannels,
        output_height: output.h, output_width: output.w, outputs: output.c,
        kernel: window.kernel, stride: window.stride, padding: window.padding, parts: parts,
        engine: engine.code)
    }
    let isMixed = precision == .mixed && OneDNNConvolution.gainsByMixing(geometry)
    self.shape = shape(parts: isMixed ? 2 : 3)
    inputShape = shape(parts: isMixed ? 1 : 3)
    packed = PackedWeights(
      Scratch.Size(bytes: withUnsafePointer(to: self.shape, sltt_tile_packed_bytes)),
      isKept: keepsPacked)
    let transposedBytes = withUnsafePointer(to: inputShape) {
      sltt_tile_input_pairs($0) * sltt_tile_transposed_bytes($0)
    }
    transposed = PackedWeights(Scratch.Size(bytes: transposedBytes), isKept: keepsPacked)
  }

  func costs(of pass: ConvolutionPass, samples: Int, density: Double?) -> [Double]? {
    guard samples > 0, density != nil || pass == .backwardInput else { return nil }
    let cost = TileCost(geometry: geometry)
    switch pass {
    case .forward: return cost.forward(samples: samples, parts: shape.parts)
    case .backwardInput:
      // Only AMX multiplies bfloat16 faster than single precision: elsewhere three parts take six times
      // as long as no parts.
      guard
        engine == .amx, withUnsafePointer(to: inputShape, sltt_tile_has_input_gradient) != 0
      else { return nil }
      return cost.inputGradient(samples: samples, parts: inputShape.parts)
    case .backwardWeights: return cost.weightGradient(samples: samples, parts: shape.parts)
    }
  }

  func packedBytes(for pass: ConvolutionPass) -> Int {
    switch pass {
    case .forward: packed.heldBytes
    case .backwardInput: transposed.heldBytes
    case .backwardWeights: 0
    }
  }

  func scratchBytes(for pass: ConvolutionPass, samples: Int) -> Int {
    switch pass {
    case .forward:
      forwardScratch(samples: samples).bytes + packed.scratchBytes
    case .backwardInput:
      inputScratch(samples: samples).bytes + (keepsPacked ? 0 : sliceSize.bytes)
    case .backwardWeights:
      withShape {
        preparedSize(bands: bandsAtOnce(samples: samples), samples: samples).bytes
          + gradientScratch($0, samples: samples).bytes
      }
    }
  }

  func weightsDidChange() {
    packed.weightsDidChange()
    transposed.weightsDidChange()
  }

  func forward(
    _ spikes: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?,
    into y: inout Tensor, accumulating: Bool
  ) {
    checkShapes(spikes.shape, y.shape)
    y.willChange()
    let (source, destination, amplitude) = (spikes.words, y.pointer, spikes.amplitude)
    let samples = spikes.shape.n
    packed.with(in: arena) {
      pack(weights, into: $0)
    } _: { packed in
      let scratch = Scratch(forwardScratch(samples: samples), arena)
      withShape { shape in
        parallelFor(sltt_tile_rows(shape, samples)) { thread, part in
          sltt_tile_forward(
            shape, source, samples, packed, bias?.base, amplitude, accumulating ? 1 : 0,
            destination, scratch[thread], part.lowerBound, part.upperBound)
        }
      }
    }
  }

  func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    checkShapes(spikes.shape, gy.shape)
    let (source, output, amplitude) = (spikes.words, gy.pointer, spikes.amplitude)
    let samples = spikes.shape.n
    guard samples > 0 else { return }
    withShape { shape in
      let (bands, step) = (sltt_tile_bands(shape, samples), bandsAtOnce(samples: samples))
      let prepared = Scratch(preparedSize(bands: step, samples: samples), arena)
      let scratch = Scratch(gradientScratch(shape, samples: samples), arena)
      for first in stride(from: 0, to: bands, by: step) {
        let count = min(step, bands - first)
        parallelFor(count * sltt_tile_preparations(shape)) { _, part in
          sltt_tile_prepare(
            shape, source, output, samples, first, count, prepared[0], part.lowerBound,
            part.upperBound)
        }
        parallelFor(sltt_tile_gradient_blocks(shape)) { thread, part in
          sltt_tile_weight_gradient(
            shape, samples, first, count, prepared[0], amplitude, weightGradient.base,
            biasGradient?.base, scratch[thread], part.lowerBound, part.upperBound)
        }
      }
    }
  }

  private func withShape<Result>(_ body: (UnsafePointer<sltt_tile_shape>) -> Result) -> Result {
    withUnsafePointer(to: shape, body)
  }

  /// Bands of the output that are prepared at a time. Threads have no say in it, nor in the bands.
  private func bandsAtOnce(samples: Int) -> Int {
    withShape {
      let band = sltt_tile_prepared_bytes($0, samples, 1)
      return min(max(1, Self.preparedBytes / band), sltt_tile_bands($0, samples))
    }
  }

  private func preparedSize(bands: Int, samples: Int) -> Scratch.Size {
    withShape { Scratch.Size(bytes: sltt_tile_prepared_bytes($0, samples, bands)) }
  }

  private func gradientScratch(
    _ shape: UnsafePointer<sltt_tile_shape>, samples: Int
  ) -> Scratch.Size {
    Scratch.Size(
      bytes: sltt_tile_gradient_scratch_bytes(shape, samples),
      parts: parallelParts(sltt_tile_gradient_blocks(shape)))
  }

  private func forwardScratch(samples: Int) -> Scratch.Size {
    withShape {
      Scratch.Size(
        bytes: sltt_tile_forward_scratch_bytes($0, samples),
        parts: parallelParts(sltt_tile_rows($0, samples)))
    }
  }

  private func pack(_ weights: ConvolutionWeights, into packed: UnsafeMutablePointer<Float>) {
    withShape { shape in
      parallelFor(sltt_tile_columns(shape)) { _, part in
        withUnsafePointer(to: weights.view) {
          sltt_tile_pack(shape, $0, packed, part.lowerBound, part.upperBound)
        }
      }
    }
  }
}
