/// A way to compute some passes of a convolution that is faster than directly for some shapes and inputs.
protocol ConvolutionMethod: ConvolutionPasses {
  /// What computes the passes.
  var kernel: ConvolutionKernel { get }

  /// What makes up the time of a pass, as a cost table knows it; nil where this is no way to compute it.
  ///
  /// - Parameter density: the share of the input's elements that are spikes; nil where it is not spikes.
  func costs(of pass: ConvolutionPass, samples: Int, density: Double?) -> [Double]?

  /// As a convolution's, where passes go this way.
  func packedBytes(for pass: ConvolutionPass) -> Int

  /// As a convolution's, where the pass goes this way.
  func scratchBytes(for pass: ConvolutionPass, samples: Int) -> Int
}

/// A method that takes floats with many zeros nearly as spikes, for the gradient of the weights.
protocol SparseMethod: ConvolutionMethod {
  /// What an element that is not 0 costs, against a spike.
  var costOfValue: Double { get }

  /// - Parameter support: has spikes where `x` is not 0.
  func backwardWeights(
    _ x: borrowing Tensor, support: borrowing SpikeTensor, _ gy: borrowing Tensor,
    into weightGradient: FloatView, bias biasGradient: FloatView?)
}

// A pass that a method has no costs for never comes to it.
extension ConvolutionMethod {
  func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    preconditionFailure("no forward pass of floats by \(kernel)")
  }

  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor) {
    preconditionFailure("no input gradient by \(kernel)")
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    preconditionFailure("no weight gradient of floats by \(kernel)")
  }
}
