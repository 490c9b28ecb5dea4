import Tensors

/// What comes before the first neurons: a convolution of the frame, and pools. It has no state, so that one
/// frame gives one output, whatever the time step, and keeps nothing on the tape.
final class Stem {
  let convolution: any ConvolutionLayer
  let pools: [AveragePool]

  init(_ convolution: any ConvolutionLayer, pools: [AveragePool]) {
    (self.convolution, self.pools) = (convolution, pools)
  }

  /// Shape of the output for one sample.
  var output: Shape { pools.last?.output ?? convolution.output }

  /// The output for a frame [N, H, W, C].
  func forward(_ frame: borrowing Tensor, in arena: Arena) -> Tensor {
    var y = convolution.output(ofFrame: frame, in: arena)
    for pool in pools { y = pool.forward(y, in: arena) }
    return y
  }

  /// Adds to the gradients of the parameters, from the gradient of the output.
  func backward(_ gradient: borrowing Tensor, frame: borrowing Tensor, in arena: Arena) {
    guard let last = pools.last else {
      return convolution.backwardWeights(gradient, input: frame)
    }
    var g = last.backward(gradient, in: arena)
    for pool in pools.dropLast().reversed() { g = pool.backward(g, in: arena) }
    convolution.backwardWeights(g, input: frame)
  }
}
