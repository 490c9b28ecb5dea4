import Tensors

/// A 2-D convolution of spikes or of dense values, with or without bias.
///
/// Input [N, H, W, inputs], output [N, H', W', outputs]. The caller keeps the input for `backward`.
final class Convolution2D: Layer {
  let name: String
  let weight: Parameter
  let bias: Parameter?
  private let convolution: any Convolution

  init(
    _ name: String, input: Shape, outputs: Int, _ window: SlidingWindow, hasBias: Bool = true,
    biasInitialization: Initialization? = nil, _ builder: NetworkBuilder
  ) {
    self.name = name
    let kernel = window.kernel
    weight = builder.parameter(
      name + ".weight", [outputs, input.c, kernel, kernel],
      layout: .convolution(kernel: kernel, inputs: input.c, outputs: outputs),
      .heNormal(fanOut: outputs * kernel * kernel))
    bias =
      hasBias
      ? builder.parameter(
        name + ".bias", [outputs],
        biasInitialization ?? .uniform(fanIn: input.c * kernel * kernel)) : nil
    convolution = builder.backend.convolution(
      ConvolutionGeometry(input: input, outputChannels: outputs, window: window),
      arena: builder.arena)
  }

  /// Shape of the output for one sample.
  var output: Shape { convolution.geometry.output(samples: 1) }

  func weightsDidChange() { convolution.weightsDidChange() }

  func forward(_ x: borrowing SpikeTensor) -> Tensor {
    var y = Tensor(convolution.geometry.output(samples: x.shape.n), in: convolution.arena)
    convolution.forward(
      x, weights: weight.values, bias: bias?.values, into: &y, accumulating: false)
    return y
  }

  /// Adds the output to `y`.
  func forward(_ x: borrowing SpikeTensor, addingTo y: inout Tensor) {
    convolution.forward(
      x, weights: weight.values, bias: bias?.values, into: &y, accumulating: true)
  }

  func forward(_ x: borrowing Tensor) -> Tensor {
    var y = Tensor(convolution.geometry.output(samples: x.shape.n), in: convolution.arena)
    convolution.forward(
      x, weights: weight.values, bias: bias?.values, into: &y, accumulating: false)
    return y
  }

  /// dL/dx from `gy`, dL/dy; adds to the parameters' gradients.
  func backward(_ gy: borrowing Tensor, input x: borrowing SpikeTensor) -> Tensor {
    convolution.backwardWeights(x, gy, into: weight.gradient, bias: bias?.gradient)
    return backwardInput(gy)
  }

  func backward(_ gy: borrowing Tensor, input x: borrowing Tensor) -> Tensor {
    backwardWeights(gy, input: x)
    return backwardInput(gy)
  }

  /// Adds to the parameters' gradients, for an input that needs none.
  func backwardWeights(_ gy: borrowing Tensor, input x: borrowing Tensor) {
    convolution.backwardWeights(x, gy, into: weight.gradient, bias: bias?.gradient)
  }

  private func backwardInput(_ gy: borrowing Tensor) -> Tensor {
    var gx = Tensor(convolution.geometry.input(samples: gy.shape.n), in: convolution.arena)
    convolution.backwardInput(gy, weights: weight.values, into: &gx)
    return gx
  }

  var summary: LayerSummary {
    .convolution(
      name, kind: "conv", convolution.geometry,
      parameters: weight.count + (bias?.count ?? 0), copies: 2)
  }
}

extension LayerSummary {
  /// - Parameter copies: how many layouts of the weights are held besides the parameters.
  static func convolution(
    _ name: String, kind: String, _ geometry: ConvolutionGeometry, parameters: Int, copies: Int
  ) -> LayerSummary {
    let output = geometry.output(samples: 1)
    let (kernel, stride) = (geometry.window.kernel, geometry.window.stride)
    return LayerSummary(
      name: name, kind: "\(kind) \(kernel)x\(kernel)" + (stride > 1 ? " /\(stride)" : ""),
      output: output, parameters: parameters,
      multiplyAdds: output.pixels * geometry.weightCount,
      packedBytes: copies * geometry.weightCount * 4)
  }
}
