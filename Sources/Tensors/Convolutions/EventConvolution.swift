internal import CSpikeKernels

/// A 3x3 convolution of spikes that adds up the weights under spikes and passes over zeros, forward and
/// for the weights' gradient; that one also for floats that are mostly 0.
///
/// The additions are of floats, so results differ from the direct ones by rounding only; in mixed
/// precision, weights are rounded to bfloat16 for the forward pass, as direct ones are.
final class EventConvolution: SparseMethod {
  let geometry: ConvolutionGeometry
  let arena: Arena
  let kernel = ConvolutionKernel.events
  /// It is listed with more effort, and multiplied.
  let costOfValue = 1.25
  private let shape: sltt_event_shape
  private let packed: PackedWeights

  /// Whether there is a kernel for the geometry.
  static func isPossible(_ geometry: ConvolutionGeometry) -> Bool {
    let window = geometry.window
    return window.kernel == 3 && window.padding == 1 && window.stride <= 2
      && geometry.output(samples: 1).w <= sltt_event_widest_output()
  }

  /// - Parameters:
  ///   - precision: of the weights in the forward pass.
  ///   - keepsPacked: whether packed weights stay for the next pass.
  init(
    _ geometry: ConvolutionGeometry, _ precision: Precision, keepsPacked: Bool, arena: Arena
  ) {
    precondition(Self.isPossible(geometry))
    (self.geometry, self.arena) = (geometry, arena)
    let output = geometry.output(samples: 1)
    shape = sltt_event_shape(
      height: geometry.inputHeight, width: geometry.inputWidth, inputs: geometry.inputChannels,
      output_height: output.h, output_width: output.w, outputs: output.c,
      stride: geometry.window.stride,
      rounds_weights: precision == .mixed && OneDNNConvolution.gainsByMixing(geometry) ? 1 : 0)
    packed = PackedWeights(
      Scratch.Size(floats: withUnsafePointer(to: shape, sltt_event_packed_count)),
      isKept: keepsPacked)
  }

  func costs(of pass: ConvolutionPass, samples: Int, density: Double?) -> [Double]? {
    guard let density else { return nil }
    let cost = EventCost(geometry: geometry)
    return switch pass {
    case .forward: cost.forward(samples: samples, density: density)
    case .backwardInput: nil
    case .backwardWeights: cost.weightGradient(samples: samples, density: density)
    }
  }

  func packedBytes(for pass: ConvolutionPass) -> Int {
    pass == .forward ? packed.heldBytes : 0
  }

  func weightsDidChange() { packed.weightsDidChange() }

  func forward(
    _ spikes: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?,
    into y: inout Tensor,
    accumulating: Bool
  ) {
    checkShapes(spikes.shape, y.shape)
    y.willChange()
    let (source, destination, amplitude) = (spikes.words, y.pointer, spikes.amplitude)
    let pixels = y.shape.pixels
    packed.with(in: arena) {
      pack(weights, into: $0)
    } _: { packed in
      let scratch = Scratch(forwardScratch(pixels: pixels), arena)
      parallelFor(pixels, grain: grain) { thread, part in
        withUnsafePointer(to: shape) {
          sltt_event_forward(
            $0, source, packed, bias?.base, amplitude, accumulating ? 1 : 0, destination,
            scratch[thread], part.lowerBound, part.upperBound)
        }
      }
    }
  }

  func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    addWeightGradient(spikes, values: nil, gy, weightGradient, biasGradient)
  }

  func backwardWeights(
    _ x: borrowing Tensor, support: borrowing SpikeTensor, _ gy: borrowing Tensor,
    into weightGradient: FloatView, bias biasGradient: FloatView?
  ) {
    precondition(support.shape == x.shape && support.amplitude == 1)
    addWeightGradient(support, values: x.pointer, gy, weightGradient, biasGradient)
  }

  /// - Parameter values: of the elements with a spike; `nil`: 1.
  private func addWeightGradient(
    _ spikes: borrowing SpikeTensor, values: UnsafePointer<Float>?, _ gy: borrowing Tensor,
    _ weightGradient: FloatView, _ biasGradient: FloatView?
  ) {
    checkShapes(spikes.shape, gy.shape)
    let (source, output, amplitude) = (spikes.words, gy.pointer, spikes.amplitude)
    let columns = outputBlocks
    let sums = GradientSums(
      weightGradient, bias: biasGradient, outputs: geometry.outputChannels, samples: gy.shape.n,
      units: inputBlocks * columns, arena)
    let scratch = Scratch(
      gradientScratch(groups: sums.groups, withValues: values != nil), arena)
    sums.forEachPart { thread, group, part in
      let (samples, sum) = (sums.samples(of: group), sums[group])
      forEachRectangle(of: part, columns: columns) { blocks, columns in
        withUnsafePointer(to: shape) {
          sltt_event_weight_gradient(
            $0, source, values, output, amplitude, sum.weights, sum.bias, scratch[thread],
            samples.lowerBound, samples.upperBound, blocks.lowerBound, blocks.upperBound,
            columns.lowerBound, columns.upperBound)
        }
      }
    }
    sums.addUp()
  }

  private var inputBlocks: Int { withUnsafePointer(to: shape, sltt_event_input_blocks) }
  private var outputBlocks: Int { withUnsafePointer(to: shape, sltt_event_output_blocks) }

  /// For each thread, room for the lists of the input channels that it works on at once: blocks that
  /// it has whole, or one of which it has a part.
  private func gradientScratch(groups: Int, withValues: Bool) -> Scratch.Size {
    let (blocks, columns) = (inputBlocks, outputBlocks)
    let units = groups * blocks * columns
    let parts = parallelParts(units)
    let whole = (units + parts - 1) / parts / columns
    return Scratch.Size(
      bytes: withUnsafePointer(to: shape) {
        sltt_event_gradient_scratch_bytes($0, min(max(whole, 1), blocks), withValues ? 1 : 0)
      }, parts: parts)
  }

  /// For each thread, room for the lists of its pixels.
  private func forwardScratch(pixels: Int) -> Scratch.Size {
    let parts = parallelParts(pixels, grain: grain)
    return Scratch.Size(
      bytes: sltt_event_forward_scratch_bytes((pixels + parts - 1) / parts), parts: parts)
  }

  /// Pixels that are worth a thread's while.
  private var grain: Int { 1 + 65536 / (geometry.inputChannels * geometry.outputChannels) }

  func scratchBytes(for pass: ConvolutionPass, samples: Int) -> Int {
    if pass == .forward {
      return forwardScratch(pixels: geometry.output(samples: samples).pixels).bytes
        + packed.scratchBytes
    }
    let units = inputBlocks * outputBlocks
    let sums = GradientSums.size(
      geometry.weightCount + geometry.outputChannels, samples: samples, units: units)
    let groups = GradientSums.groups(samples: samples, units: units)
    return sums.bytes + gradientScratch(groups: groups, withValues: true).bytes
  }

  private func pack(_ weights: ConvolutionWeights, into packed: UnsafeMutablePointer<Float>) {
    parallelFor(inputBlocks) { _, part in
      withUnsafePointer(to: shape) { shape in
        withUnsafePointer(to: weights.view) {
          sltt_event_pack(shape, $0, packed, part.lowerBound, part.upperBound)
        }
      }
    }
  }
}

/// Divides consecutive elements of a matrix into rectangles: rows that are all there, and parts of the
/// rows before and after them.
private func forEachRectangle(
  of part: Range<Int>, columns count: Int,
  _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
) {
  var start = part.lowerBound
  while start < part.upperBound {
    let (row, column) = start.quotientAndRemainder(dividingBy: count)
    let rows = (part.upperBound - start) / count
    if column == 0, rows > 0 {
      body(row..<row + rows, 0..<count)
      start += rows * count
    } else {
      let end = min(count, column + part.upperBound - start)
      body(row..<row + 1, column..<end)
      start += end - column
    }
  }
}
