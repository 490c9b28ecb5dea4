internal import CSpikeKernels

/// A 3x3 convolution of spikes that adds up the weights under spikes and passes over zeros, forward and
/// for the weights' gradient. The gradient of the input, and inputs that are not spikes, go to a dense
/// convolution of the same geometry.
///
/// The additions are of floats, so results differ from the dense ones by rounding only; in mixed
/// precision, weights are rounded to bfloat16 for the forward pass, as dense ones are. Which way is taken
/// depends on the spikes alone, never on timing, so that runs repeat.
final class EventConvolution: WrappingConvolution {
  let dense: any Convolution
  private let winogradCost: WinogradCost?
  private let isForced: Bool
  private let keepsPacked: Bool
  private let forwardCost: EventCost
  private let gradientCost: EventCost
  private var shape: sltt_event_shape
  private var packed: FlatBuffer?
  private var isPacked = false

  /// Whether there is a kernel for the geometry.
  static func isPossible(_ geometry: ConvolutionGeometry) -> Bool {
    let window = geometry.window
    return window.kernel == 3 && window.padding == 1 && window.stride <= 2
      && geometry.output(samples: 1).w <= sltt_event_widest_output()
  }

  /// - Parameters:
  ///   - precision: of the dense convolution, and of the weights in the forward pass.
  ///   - winogradCost: where the dense convolution may go by Winograd's method.
  ///   - isForced: whether to work by events however many neurons fire.
  ///   - keepsPacked: whether packed weights stay for the next pass.
  init(
    _ dense: any Convolution, _ precision: Precision, winogradCost: WinogradCost?, isForced: Bool,
    keepsPacked: Bool
  ) {
    let geometry = dense.geometry
    precondition(Self.isPossible(geometry))
    self.dense = dense
    self.winogradCost = winogradCost
    self.isForced = isForced
    self.keepsPacked = keepsPacked
    forwardCost = .forward(geometry, against: precision)
    gradientCost = .weightGradient(geometry, against: precision)
    let output = geometry.output(samples: 1)
    shape = sltt_event_shape(
      height: geometry.inputHeight, width: geometry.inputWidth, inputs: geometry.inputChannels,
      output_height: output.h, output_width: output.w, outputs: output.c,
      stride: geometry.window.stride,
      rounds_weights: precision == .mixed && OneDNNConvolution.gainsByMixing(geometry) ? 1 : 0)
  }

  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel {
    if let density, let cost = cost(of: pass) {
      let share = winogradCost?.share(for: pass, samples: samples, readsSpikes: true) ?? 1
      if isForced || cost.favoursEvents(at: density, against: min(share, 1)) { return .events }
    }
    return dense.kernel(for: pass, samples: samples, density: density)
  }

  /// nil where there is no kernel for events.
  private func cost(of pass: ConvolutionPass) -> EventCost? {
    switch pass {
    case .forward: forwardCost
    case .backwardInput: nil
    case .backwardWeights: gradientCost
    }
  }

  /// The dense convolution's for the gradient of the input alone, as long as few neurons fire.
  var packedBytes: Int {
    dense.packedBytes / 2
      + (keepsPacked ? 4 * withUnsafePointer(to: shape, sltt_event_packed_count) : 0)
  }

  func weightsDidChange() {
    isPacked = false
    dense.weightsDidChange()
  }

  func forward(
    _ spikes: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?,
    into y: inout Tensor,
    accumulating: Bool
  ) {
    guard kernel(for: .forward, samples: spikes.shape.n, density: spikes.density) == .events else {
      dense.forward(spikes, weights: weights, bias: bias, into: &y, accumulating: accumulating)
      return
    }
    checkShapes(spikes.shape, y.shape)
    y.willChange()
    guard keepsPacked else {
      let packed = Scratch(sltt_event_packed_count(&shape), arena)
      pack(weights, into: packed[0])
      return add(spikes, packed[0], bias: bias, into: &y, accumulating: accumulating)
    }
    add(spikes, packedWeights(weights), bias: bias, into: &y, accumulating: accumulating)
  }

  private func add(
    _ spikes: borrowing SpikeTensor, _ packed: UnsafePointer<Float>, bias: FloatView?,
    into y: inout Tensor, accumulating: Bool
  ) {
    let (source, destination, amplitude) = (spikes.words, y.pointer, spikes.amplitude)
    let grain = 1 + 65536 / (geometry.inputChannels * geometry.outputChannels)
    let scratch = scratch(parts: parallelParts(y.shape.pixels, grain: grain))
    parallelFor(y.shape.pixels, grain: grain) { thread, part in
      withUnsafePointer(to: shape) {
        sltt_event_forward(
          $0, source, packed, bias?.base, amplitude, accumulating ? 1 : 0, destination,
          scratch[thread], part.lowerBound, part.upperBound)
      }
    }
  }

  func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    guard
      kernel(for: .backwardWeights, samples: gy.shape.n, density: spikes.density) == .events
    else {
      dense.backwardWeights(spikes, gy, into: weightGradient, bias: biasGradient)
      return
    }
    checkShapes(spikes.shape, gy.shape)
    let blocks = SpikeTensor.wordsPerPixel(channels: geometry.inputChannels)
    let samples = gy.shape.n
    guard parallelParts(samples) > 1, blocks < parallelParts(.max) else {
      accumulate(
        spikes, gy, blocks: blocks, into: weightGradient.base, bias: biasGradient?.base)
      return
    }
    accumulateBySamples(
      spikes, gy, blocks: blocks, into: weightGradient, bias: biasGradient)
  }

  /// Threads share the input channels: each adds to gradients of its own.
  private func accumulate(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, blocks: Int,
    into gradient: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>?
  ) {
    let (source, output, amplitude) = (spikes.words, gy.pointer, spikes.amplitude)
    let samples = gy.shape.n
    let scratch = scratch(parts: parallelParts(blocks))
    parallelFor(blocks) { thread, part in
      withUnsafePointer(to: shape) {
        sltt_event_weight_gradient(
          $0, source, output, amplitude, gradient, bias, scratch[thread], 0, samples,
          part.lowerBound, part.upperBound)
      }
    }
  }

  /// Threads share the samples: each has sums of its own, added up in a fixed order.
  private func accumulateBySamples(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, blocks: Int,
    into gradient: FloatView, bias: FloatView?
  ) {
    let (source, output, amplitude) = (spikes.words, gy.pointer, spikes.amplitude)
    let parts = parallelParts(gy.shape.n)
    let (count, outputs) = (gradient.count, geometry.outputChannels)
    let sums = Scratch(count + outputs, parts: parts, arena)
    let scratch = scratch(parts: parts)
    parallelFor(gy.shape.n) { thread, part in
      let own = sums[thread]
      own.update(repeating: 0, count: count + outputs)
      withUnsafePointer(to: shape) {
        sltt_event_weight_gradient(
          $0, source, output, amplitude, own, own + count, scratch[thread], part.lowerBound,
          part.upperBound, 0, blocks)
      }
    }
    let total = gradient.base
    parallelFor(count, grain: 16384) { _, range in
      for part in 0..<parts {
        let own = sums[part]
        for index in range { total[index] += own[index] }
      }
    }
    guard let bias else { return }
    for part in 0..<parts {
      for c in 0..<outputs { bias.base[c] += sums[part][count + c] }
    }
  }

  private func packedWeights(_ weights: ConvolutionWeights) -> UnsafePointer<Float> {
    let buffer = packed ?? FlatBuffer(count: sltt_event_packed_count(&shape))
    packed = buffer
    if !isPacked {
      pack(weights, into: buffer.pointer)
      isPacked = true
    }
    return UnsafePointer(buffer.pointer)
  }

  private func pack(_ weights: ConvolutionWeights, into packed: UnsafeMutablePointer<Float>) {
    parallelFor(SpikeTensor.wordsPerPixel(channels: geometry.inputChannels)) { _, part in
      withUnsafePointer(to: shape) { shape in
        withUnsafePointer(to: weights.view) {
          sltt_event_pack(shape, $0, packed, part.lowerBound, part.upperBound)
        }
      }
    }
  }

  private func scratch(parts: Int) -> Scratch {
    Scratch((sltt_event_scratch_bytes(&shape) + 3) / 4, parts: parts, arena)
  }
}
