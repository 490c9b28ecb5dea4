import Tensors

/// A layer that convolves.
protocol ConvolutionLayer: WeightedLayer, AddingNode {
  var name: String { get }
  var convolution: ObservedConvolution { get }
  var input: LayerInput { get }
  /// As they are multiplied.
  var weights: ConvolutionWeights { get }
  /// As they are added; nil: none.
  var biases: FloatView? { get }
  var weight: Parameter { get }
  var biasGradient: FloatView? { get }
}

extension ConvolutionLayer {
  var source: (any NeuronLayer)? { input.source }
  var spikeInput: SpikeInput { convolution.spikeInput }

  /// Shape of the output for one sample.
  var output: Shape { convolution.geometry.output(samples: 1) }

  func output(of x: borrowing Signal, in arena: Arena) -> Tensor {
    var y = Tensor(convolution.geometry.output(samples: x.shape.n), in: arena)
    run(x, into: &y, accumulating: false)
    return y
  }

  func add(_ x: borrowing Signal, to y: inout Tensor) { run(x, into: &y, accumulating: true) }

  private func run(_ x: borrowing Signal, into y: inout Tensor, accumulating: Bool) {
    convolution.spikeInput.add(x)
    switch x {
    case .floats(let x):
      convolution.forward(
        x.tensor, weights: weights, bias: biases, into: &y, accumulating: accumulating)
    case .spikes(let x):
      convolution.forward(x, weights: weights, bias: biases, into: &y, accumulating: accumulating)
    }
  }

  func backwardWeights(_ gy: borrowing Tensor, input x: borrowing Signal) {
    switch x {
    // Traces of spikes, or firing rates: many of them are 0.
    case .floats(let x) where input.isSpikes:
      convolution.backwardWeights(
        ofSparse: x.tensor, gy, into: weight.gradient, bias: biasGradient)
    case .floats(let x): backwardWeights(gy, input: x.tensor)
    case .spikes(let x):
      convolution.backwardWeights(x, gy, into: weight.gradient, bias: biasGradient)
    }
  }

  func backwardInput(_ gy: borrowing Tensor, in arena: Arena) -> Tensor {
    var gx = Tensor(convolution.geometry.input(samples: gy.shape.n), in: arena)
    convolution.backwardInput(gy, weights: weights, into: &gx)
    return gx
  }

  /// The output for a frame, which the caller keeps.
  func output(ofFrame x: borrowing Tensor, in arena: Arena) -> Tensor {
    var y = Tensor(convolution.geometry.output(samples: x.shape.n), in: arena)
    convolution.forward(x, weights: weights, bias: biases, into: &y, accumulating: false)
    return y
  }

  /// Adds to the gradients of the parameters.
  func backwardWeights(_ gy: borrowing Tensor, input x: borrowing Tensor) {
    convolution.backwardWeights(x, gy, into: weight.gradient, bias: biasGradient)
  }

  func summary(kind: String, parameters: Int) -> LayerSummary {
    let geometry = convolution.geometry
    let (kernel, stride) = (geometry.window.kernel, geometry.window.stride)
    return LayerSummary(
      name: name, kind: "\(kind) \(kernel)x\(kernel)" + (stride > 1 ? " /\(stride)" : ""),
      output: output, parameters: parameters,
      macs: output.pixels * geometry.weightCount, inputPlanes: input.planes,
      tapeBytes: input.keptBytes(geometry.input(samples: 1)),
      traceBytes: input.traceBytes(geometry.input(samples: 1)),
      averagesBytes: input.averagesBytes(geometry.input(samples: 1)))
  }
}

extension Convolution {
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
}

extension NetworkBuilder {
  /// A layer's convolution by the network's back end.
  func convolution(
    _ layer: String, input: Shape, outputs: Int, _ window: SlidingWindow, readsSpikes: Bool
  ) -> ObservedConvolution {
    let convolution = backend.convolution(
      ConvolutionGeometry(input: input, outputChannels: outputs, window: window), arena: arena)
    return add(
      ObservedConvolution(convolution, layer: layer, readsSpikes: readsSpikes, profile))
  }
}
