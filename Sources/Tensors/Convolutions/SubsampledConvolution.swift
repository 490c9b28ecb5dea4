/// A 1x1 convolution with a stride, of spikes: of their pixels only those that it reads become floats.
/// Other inputs, and the gradient of the input, go to a convolution of the same geometry.
final class SubsampledConvolution: Convolution {
  private let dense: any Convolution
  /// The same with stride 1, of the pixels that are read.
  private let read: any Convolution

  static func isPossible(_ geometry: ConvolutionGeometry) -> Bool {
    let window = geometry.window
    return window.kernel == 1 && window.padding == 0 && window.stride > 1
  }

  /// - Parameter make: makes a convolution of a geometry.
  init(_ geometry: ConvolutionGeometry, _ make: (ConvolutionGeometry) -> any Convolution) {
    precondition(Self.isPossible(geometry))
    dense = make(geometry)
    let output = geometry.output(samples: 1)
    read = make(
      ConvolutionGeometry(
        input: Shape(n: 1, h: output.h, w: output.w, c: geometry.inputChannels),
        outputChannels: output.c, window: SlidingWindow(kernel: 1)))
  }

  var geometry: ConvolutionGeometry { dense.geometry }
  var arena: Arena { dense.arena }

  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel {
    dense.kernel(for: pass, samples: samples, density: density)
  }

  func packedBytes(for pass: ConvolutionPass, samples: Int, ofSpikes: Bool) -> Int {
    dense.packedBytes(for: pass, samples: samples, ofSpikes: ofSpikes)
  }

  func scratchBytes(samples: Int) -> Int {
    let pixels = 4 * read.geometry.input(samples: samples).count
    return max(dense.scratchBytes(samples: samples), pixels + read.scratchBytes(samples: samples))
  }

  func weightsDidChange() {
    dense.weightsDidChange()
    read.weightsDidChange()
  }

  func forward(
    _ spikes: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?,
    into y: inout Tensor,
    accumulating: Bool
  ) {
    checkShapes(spikes.shape, y.shape)
    let pixels = spikes.everyPixel(of: geometry.window.stride, in: arena)
    read.forward(pixels, weights: weights, bias: bias, into: &y, accumulating: accumulating)
  }

  func backwardWeights(
    _ spikes: borrowing SpikeTensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    checkShapes(spikes.shape, gy.shape)
    let pixels = spikes.everyPixel(of: geometry.window.stride, in: arena)
    read.backwardWeights(pixels, gy, into: weightGradient, bias: biasGradient)
  }

  func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    dense.forward(x, weights: weights, bias: bias, into: &y, accumulating: accumulating)
  }

  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor) {
    dense.backwardInput(gy, weights: weights, into: &gx)
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    dense.backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
  }
}
