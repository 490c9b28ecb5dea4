internal import CSpikeKernels

/// A 3x3 convolution of spikes that adds up the weights under spikes and passes over zeros, forward and
/// for the weights' gradient. The gradient of the input, and inputs that are not spikes, go to a dense
/// convolution of the same geometry.
///
/// The additions are exact floats, so results differ from the dense ones by rounding only. Which way is
/// taken depends on the spikes alone, never on timing, so that runs repeat.
final class EventConvolution: Convolution {
  private let dense: any Convolution
  private let winogradCost: WinogradCost?
  private let isForced: Bool
  private let forwardCost: EventCost
  private let gradientCost: EventCost
  private var shape: sltt_event_shape
  private var packed: FlatBuffer?
  private var isPacked = false

  var geometry: ConvolutionGeometry { dense.geometry }
  var arena: Arena { dense.arena }

  /// Whether there is a kernel for the geometry.
  static func isPossible(_ geometry: ConvolutionGeometry) -> Bool {
    let window = geometry.window
    return window.kernel == 3 && window.padding == 1 && window.stride <= 2
      && geometry.output(samples: 1).w <= sltt_event_widest_output()
  }

  /// - Parameters:
  ///   - winogradCost: where the dense convolution may go by Winograd's method.
  ///   - isForced: whether to work by events however many neurons fire.
  init(
    _ dense: any Convolution, _ precision: Precision, winogradCost: WinogradCost?, isForced: Bool
  ) {
    let geometry = dense.geometry
    precondition(Self.isPossible(geometry))
    self.dense = dense
    self.winogradCost = winogradCost
    self.isForced = isForced
    forwardCost = .forward(geometry, against: precision)
    gradientCost = .weightGradient(geometry, against: precision)
    let output = geometry.output(samples: 1)
    shape = sltt_event_shape(
      height: geometry.inputHeight, width: geometry.inputWidth, inputs: geometry.inputChannels,
      output_height: output.h, output_width: output.w, outputs: output.c,
      stride: geometry.window.stride)
  }

  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel {
    if let density, let cost = cost(of: pass) {
      let share = winogradCost?.share(for: pass, samples: samples) ?? 1
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

  func weightsDidChange() {
    isPacked = false
    dense.weightsDidChange()
  }

  func forward(
    _ x: borrowing Tensor, weights: FloatView, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    dense.forward(x, weights: weights, bias: bias, into: &y, accumulating: accumulating)
  }

  func backwardInput(_ gy: borrowing Tensor, weights: FloatView, into gx: inout Tensor) {
    dense.backwardInput(gy, weights: weights, into: &gx)
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    dense.backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
  }

  func forward(
    _ spikes: borrowing SpikeTensor, weights: FloatView, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    guard kernel(for: .forward, samples: spikes.shape.n, density: spikes.density) == .events else {
      dense.forward(spikes, weights: weights, bias: bias, into: &y, accumulating: accumulating)
      return
    }
    checkShapes(spikes.shape, y.shape)
    y.willChange()
    let packed = packedWeights(weights)
    let (source, destination, amplitude) = (spikes.words, y.pointer, spikes.amplitude)
    let grain = 1 + 65536 / (geometry.inputChannels * geometry.outputChannels)
    withScratch(parts: parallelParts(y.shape.pixels, grain: grain)) { scratch in
      parallelFor(y.shape.pixels, grain: grain) { thread, part in
        withUnsafePointer(to: shape) {
          sltt_event_forward(
            $0, source, packed, bias?.base, amplitude, accumulating ? 1 : 0, destination,
            scratch(thread), part.lowerBound, part.upperBound)
        }
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
    withScratch(parts: parallelParts(blocks)) { scratch in
      parallelFor(blocks) { thread, part in
        withUnsafePointer(to: shape) {
          sltt_event_weight_gradient(
            $0, source, output, amplitude, gradient, bias, scratch(thread), 0, samples,
            part.lowerBound, part.upperBound)
        }
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
    let partial = Tensor(Shape(n: parts, c: count + outputs), in: arena)
    let sums = partial.pointer
    withScratch(parts: parts) { scratch in
      parallelFor(gy.shape.n) { thread, part in
        let own = sums + thread * (count + outputs)
        own.update(repeating: 0, count: count + outputs)
        withUnsafePointer(to: shape) {
          sltt_event_weight_gradient(
            $0, source, output, amplitude, own, own + count, scratch(thread), part.lowerBound,
            part.upperBound, 0, blocks)
        }
      }
    }
    let total = gradient.base
    parallelFor(count, grain: 16384) { _, range in
      for part in 0..<parts {
        let own = sums + part * (count + outputs)
        for index in range { total[index] += own[index] }
      }
    }
    guard let bias else { return }
    for part in 0..<parts {
      for c in 0..<outputs { bias.base[c] += sums[part * (count + outputs) + count + c] }
    }
  }

  private func packedWeights(_ weights: FloatView) -> UnsafePointer<Float> {
    let buffer = packed ?? FlatBuffer(count: sltt_event_packed_count(&shape))
    packed = buffer
    if !isPacked {
      let destination = buffer.pointer
      parallelFor(SpikeTensor.wordsPerPixel(channels: geometry.inputChannels)) { _, part in
        withUnsafePointer(to: shape) {
          sltt_event_pack($0, weights.base, destination, part.lowerBound, part.upperBound)
        }
      }
      isPacked = true
    }
    return UnsafePointer(buffer.pointer)
  }

  /// Calls `body` with scratch memory for each of `parts` threads.
  private func withScratch(
    parts: Int, _ body: (_ scratch: (Int) -> UnsafeMutableRawPointer) -> Void
  ) {
    let floats = (sltt_event_scratch_bytes(&shape) + 63) / 64 * 16
    let scratch = Tensor(Shape(n: parts, c: floats), in: arena)
    let base = scratch.pointer
    body { UnsafeMutableRawPointer(base + $0 * floats) }
  }
}
