/// A convolution that leaves passes of inputs that are not spikes to another one of its geometry.
protocol WrappingConvolution: Convolution {
  var dense: any Convolution { get }
}

extension WrappingConvolution {
  var geometry: ConvolutionGeometry { dense.geometry }
  var arena: Arena { dense.arena }

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
