import Tensors

/// A 2-D convolution of spikes or of dense values, with or without bias.
///
/// Input [N, H, W, inputs], output [N, H', W', outputs]. The caller keeps the input for `backward`.
final class Convolution2D: Layer {
  let name: String
  let weight: Parameter
  let bias: Parameter?
  private let convolution: any Convolution

  /// - Parameter readsSpikes: whether the input is spikes; else dense values.
  init(
    _ name: String, input: Shape, outputs: Int, _ window: SlidingWindow, hasBias: Bool = true,
    biasInitialization: Initialization? = nil, readsSpikes: Bool = true, _ builder: NetworkBuilder
  ) {
    self.name = name
    convolution = builder.convolution(
      name, input: input, outputs: outputs, window, readsSpikes: readsSpikes)
    weight = convolution.weightParameter(name + ".weight", builder)
    let fanIn = input.c * window.kernel * window.kernel
    bias =
      hasBias
      ? builder.parameter(
        name + ".bias", [outputs], biasInitialization ?? .uniform(fanIn: fanIn)) : nil
  }

  /// Shape of the output for one sample.
  var output: Shape { convolution.geometry.output(samples: 1) }

  func weightsDidChange() { convolution.weightsDidChange() }

  func forward(_ x: borrowing SpikeTensor) -> Tensor {
    convolution.output(of: x, weights: ConvolutionWeights(weight.values), bias: bias?.values)
  }

  /// Adds the output to `y`.
  func forward(_ x: borrowing SpikeTensor, addingTo y: inout Tensor) {
    convolution.forward(
      x, weights: ConvolutionWeights(weight.values), bias: bias?.values, into: &y,
      accumulating: true)
  }

  func forward(_ x: borrowing Tensor) -> Tensor {
    convolution.output(of: x, weights: ConvolutionWeights(weight.values), bias: bias?.values)
  }

  /// dL/dx from `gy`, dL/dy; adds to the parameters' gradients.
  func backward(_ gy: borrowing Tensor, input x: borrowing SpikeTensor) -> Tensor {
    convolution.backwardWeights(x, gy, into: weight.gradient, bias: bias?.gradient)
    return convolution.inputGradient(gy, weights: ConvolutionWeights(weight.values))
  }

  func backward(_ gy: borrowing Tensor, input x: borrowing Tensor) -> Tensor {
    backwardWeights(gy, input: x)
    return convolution.inputGradient(gy, weights: ConvolutionWeights(weight.values))
  }

  /// Adds to the parameters' gradients, for an input that needs none.
  func backwardWeights(_ gy: borrowing Tensor, input x: borrowing Tensor) {
    convolution.backwardWeights(x, gy, into: weight.gradient, bias: bias?.gradient)
  }

  var summary: LayerSummary {
    convolution.summary(
      name, kind: "conv", parameters: weight.count + (bias?.count ?? 0))
  }
}
