internal import CSpikeKernels

/// A 3x3 convolution with stride 1 of inputs that are not spikes, by Winograd's method, F(4x4, 3x3) of Lavin
/// and Gray (arXiv 1509.09308): a quarter of a direct convolution's products, and rounding errors about
/// twice its own. All in single precision. Where another way is faster, passes go to a dense convolution
/// of the same geometry.
///
/// Weights are transformed anew in each pass, a slice of them at a time: they would take four times the
/// room of the weights.
final class WinogradConvolution: Convolution {
  private let dense: any Convolution
  private let isForced: Bool
  private let cost: WinogradCost
  private let forwardShape: sltt_winograd_shape
  private let backwardShape: sltt_winograd_shape

  var geometry: ConvolutionGeometry { dense.geometry }
  var arena: Arena { dense.arena }

  /// Floats of transformed weights that are made at a time: they stay in the cache.
  private static let slice = 36 * 256 * 256

  /// Whether there is a kernel for the geometry.
  static func isPossible(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.window.kernel == 3 && geometry.window.padding == 1 && geometry.window.stride == 1
  }

  /// - Parameters:
  ///   - cost: beside the dense convolution's.
  ///   - isForced: whether to go this way also where the other is faster.
  init(_ dense: any Convolution, _ cost: WinogradCost, isForced: Bool) {
    let geometry = dense.geometry
    precondition(Self.isPossible(geometry))
    self.dense = dense
    self.cost = cost
    self.isForced = isForced
    let (height, width) = (geometry.inputHeight, geometry.inputWidth)
    let (inputs, outputs) = (geometry.inputChannels, geometry.outputChannels)
    forwardShape = .init(height: height, width: width, inputs: inputs, outputs: outputs)
    backwardShape = .init(height: height, width: width, inputs: outputs, outputs: inputs)
  }

  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel {
    isForced || cost.share(for: pass, samples: samples) < 1
      ? .winograd : dense.kernel(for: pass, samples: samples, density: density)
  }

  private func isUsed(for pass: ConvolutionPass, samples: Int) -> Bool {
    kernel(for: pass, samples: samples, density: nil) == .winograd
  }

  func weightsDidChange() { dense.weightsDidChange() }

  func forward(
    _ x: borrowing Tensor, weights: FloatView, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    guard isUsed(for: .forward, samples: x.shape.n) else {
      dense.forward(x, weights: weights, bias: bias, into: &y, accumulating: accumulating)
      return
    }
    checkShapes(x.shape, y.shape)
    convolve(
      forwardShape, x, weights, isTransposed: false, bias: bias, into: &y,
      accumulating: accumulating)
  }

  func forward(
    _ spikes: borrowing SpikeTensor, weights: FloatView, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    guard isUsed(for: .forward, samples: spikes.shape.n) else {
      dense.forward(spikes, weights: weights, bias: bias, into: &y, accumulating: accumulating)
      return
    }
    let x = spikes.unpacked(in: arena)
    forward(x, weights: weights, bias: bias, into: &y, accumulating: accumulating)
  }

  func backwardInput(_ gy: borrowing Tensor, weights: FloatView, into gx: inout Tensor) {
    guard isUsed(for: .backwardInput, samples: gy.shape.n) else {
      dense.backwardInput(gy, weights: weights, into: &gx)
      return
    }
    checkShapes(gx.shape, gy.shape)
    convolve(
      backwardShape, gy, weights, isTransposed: true, bias: nil, into: &gx, accumulating: false)
  }

  private func convolve(
    _ shape: sltt_winograd_shape, _ x: borrowing Tensor, _ weights: FloatView, isTransposed: Bool,
    bias: FloatView?, into y: inout Tensor, accumulating: Bool
  ) {
    y.willChange()
    let (input, output) = (x.pointer, y.pointer)
    withUnsafePointer(to: shape) { shape in
      let tiles = sltt_winograd_tiles(shape, x.shape.n)
      let scratch = Scratch(sltt_winograd_scratch_count(shape), parts: parallelParts(tiles), arena)
      forSlices(of: shape) { groups, transformed in
        parallelFor(inputBlocks(shape)) { _, part in
          sltt_winograd_transform_weights(
            shape, weights.base, isTransposed ? 1 : 0, groups.lowerBound, groups.upperBound,
            transformed, part.lowerBound, part.upperBound)
        }
        parallelFor(tiles) { thread, part in
          sltt_winograd_convolve(
            shape, input, transformed, groups.lowerBound, groups.upperBound, bias?.base,
            accumulating ? 1 : 0, output, scratch[thread], part.lowerBound, part.upperBound)
        }
      }
    }
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    guard biasGradient == nil, isUsed(for: .backwardWeights, samples: x.shape.n) else {
      dense.backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
      return
    }
    checkShapes(x.shape, gy.shape)
    let (input, output) = (x.pointer, gy.pointer)
    withUnsafePointer(to: forwardShape) { shape in
      let tiles = sltt_winograd_tiles(shape, x.shape.n)
      let inputs = Scratch(sltt_winograd_input_count(shape), arena)
      forSlices(of: shape) { groups, sums in
        let gradients = Scratch(groups.count * sltt_winograd_gradient_count(), arena)
        for block in stride(from: 0, to: tiles, by: SLTT_WINOGRAD_BLOCK) {
          let count = min(tiles - block, SLTT_WINOGRAD_BLOCK)
          parallelFor(count) { _, part in
            sltt_winograd_transform_tiles(
              shape, input, output, groups.lowerBound, groups.upperBound, block, inputs[0],
              gradients[0], part.lowerBound, part.upperBound)
          }
          parallelFor(groups.count * 36) { _, part in
            sltt_winograd_add_products(
              shape, inputs[0], gradients[0], count, block > 0 ? 1 : 0, sums, part.lowerBound,
              part.upperBound)
          }
        }
        parallelFor(geometry.inputChannels) { _, part in
          sltt_winograd_weight_gradient(
            shape, sums, groups.lowerBound, groups.upperBound, weightGradient.base,
            part.lowerBound, part.upperBound)
        }
      }
    }
  }

  func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    guard biasGradient == nil, isUsed(for: .backwardWeights, samples: gy.shape.n) else {
      dense.backwardWeights(spikes, gy, into: weightGradient, bias: biasGradient)
      return
    }
    let x = spikes.unpacked(in: arena)
    backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
  }

  /// Calls `body` with one range of groups of outputs after the other, and with room for their transformed
  /// weights.
  private func forSlices(
    of shape: UnsafePointer<sltt_winograd_shape>,
    _ body: (_ groups: Range<Int>, _ weights: UnsafeMutablePointer<Float>) -> Void
  ) {
    let (groups, size) = (sltt_winograd_groups(shape), sltt_winograd_weight_count(shape))
    let step = min(groups, max(1, Self.slice / size))
    let room = Scratch(step * size, arena)
    for first in stride(from: 0, to: groups, by: step) {
      body(first..<min(groups, first + step), room[0])
    }
  }

  private func inputBlocks(_ shape: UnsafePointer<sltt_winograd_shape>) -> Int {
    let lanes = SLTT_WINOGRAD_LANES
    return (shape.pointee.inputs + lanes - 1) / lanes
  }
}

/// Temporary floats, apart for each of some threads.
private struct Scratch: ~Copyable {
  private let memory: Tensor
  private let step: Int

  init(_ count: Int, parts: Int = 1, _ arena: Arena) {
    step = (count + 15) / 16 * 16
    memory = Tensor(Shape(n: parts, c: step), in: arena)
  }

  subscript(part: Int) -> UnsafeMutablePointer<Float> { memory.pointer + part * step }
}
