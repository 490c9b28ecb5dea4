extension Convolution {
  /// The forward pass of an input that is spikes: each plane adds its own to what those before it made, by
  /// the kernel for its own density.
  public func forward(
    _ spikes: Spikes, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    for (index, plane) in spikes.planes.enumerated() {
      forward(
        plane.spikes, weights: weights, bias: index == 0 ? bias : nil, into: &y,
        accumulating: accumulating || index > 0)
    }
  }

  /// The gradient of the weights for an input that is spikes, plane by plane.
  public func backwardWeights(
    _ spikes: Spikes, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    for (index, plane) in spikes.planes.enumerated() {
      backwardWeights(
        plane.spikes, gy, into: weightGradient, bias: index == 0 ? biasGradient : nil)
    }
  }
}
