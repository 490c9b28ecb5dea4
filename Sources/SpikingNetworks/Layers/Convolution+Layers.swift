import Tensors

/// What layers that convolve have in common: new tensors for the results, dense or spiking input.
extension Convolution {
  /// `x * weights + bias`
  func output(
    of x: borrowing SpikeTensor, weights: ConvolutionWeights, bias: FloatView?
  ) -> Tensor {
    var y = Tensor(geometry.output(samples: x.shape.n), in: arena)
    forward(x, weights: weights, bias: bias, into: &y, accumulating: false)
    return y
  }

  func output(of x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?) -> Tensor {
    var y = Tensor(geometry.output(samples: x.shape.n), in: arena)
    forward(x, weights: weights, bias: bias, into: &y, accumulating: false)
    return y
  }

  /// dL/dx from `gy`, dL/dy.
  func inputGradient(_ gy: borrowing Tensor, weights: ConvolutionWeights) -> Tensor {
    var gx = Tensor(geometry.input(samples: gy.shape.n), in: arena)
    backwardInput(gy, weights: weights, into: &gx)
    return gx
  }

  /// A published weight tensor [out, in, kernel, kernel] of this geometry, drawn from He's normal
  /// distribution.
  func weightParameter(_ name: String, _ builder: NetworkBuilder) -> Parameter {
    let (kernel, inputs) = (geometry.window.kernel, geometry.inputChannels)
    let outputs = geometry.outputChannels
    return builder.parameter(
      name, [outputs, inputs, kernel, kernel],
      layout: .convolution(kernel: kernel, inputs: inputs, outputs: outputs),
      .heNormal(fanOut: outputs * kernel * kernel))
  }

  func summary(
    _ name: String, kind: String, parameters: Int
  ) -> LayerSummary {
    let output = geometry.output(samples: 1)
    let (kernel, stride) = (geometry.window.kernel, geometry.window.stride)
    return LayerSummary(
      name: name, kind: "\(kind) \(kernel)x\(kernel)" + (stride > 1 ? " /\(stride)" : ""),
      output: output, parameters: parameters,
      multiplyAdds: output.pixels * geometry.weightCount)
  }
}

extension NetworkBuilder {
  /// A layer's convolution by the network's back end.
  func convolution(
    _ layer: String, input: Shape, outputs: Int, _ window: SlidingWindow, readsSpikes: Bool
  ) -> any Convolution {
    let convolution = backend.convolution(
      ConvolutionGeometry(input: input, outputChannels: outputs, window: window), arena: arena)
    return add(
      ObservedConvolution(convolution, layer: layer, readsSpikes: readsSpikes, profile))
  }
}
