import Tensors

/// A 2-D convolution of spikes or of dense values, with or without bias.
///
/// Input [N, H, W, inputs], output [N, H', W', outputs].
final class Convolution2D: ConvolutionLayer {
  let name: String
  let weight: Parameter
  let bias: Parameter?
  let convolution: ObservedConvolution
  let input: LayerInput

  init(
    _ name: String, input shape: Shape, outputs: Int, _ window: SlidingWindow,
    bias initialization: Initialization?, reads input: LayerInput = .init(.spikes),
    _ builder: NetworkBuilder
  ) {
    self.name = name
    self.input = input
    convolution = builder.convolution(
      name, input: shape, outputs: outputs, window, readsSpikes: input.isSpikes)
    weight = convolution.weightParameter(name + ".weight", builder)
    bias = initialization.map { builder.parameter(name + ".bias", [outputs], $0) }
  }

  var weights: ConvolutionWeights { ConvolutionWeights(weight.values) }
  var biases: FloatView? { bias?.values }
  var biasGradient: FloatView? { bias?.gradient }

  func weightsDidChange() { convolution.weightsDidChange() }

  var summary: LayerSummary {
    summary(kind: "conv", parameters: weight.count + (bias?.count ?? 0))
  }
}
