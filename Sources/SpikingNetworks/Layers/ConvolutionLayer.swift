import Tensors

/// What a convolution reads.
enum ConvolutionInput {
  /// The frame, which the caller keeps, and whose gradient nobody wants.
  case frame
  case floats
  /// Spikes that the neurons which fired keep.
  case keptSpikes
  /// Spikes that nobody keeps for the backward pass, as dropout makes them.
  case spikes

  var isSpikes: Bool {
    switch self {
    case .frame, .floats: false
    case .keptSpikes, .spikes: true
    }
  }
}

/// A layer that convolves, as a node that keeps its own input.
protocol ConvolutionLayer: Layer, AddingNode {
  var name: String { get }
  var convolution: ObservedConvolution { get }
  var input: ConvolutionInput { get }
  /// As they are multiplied.
  var weights: ConvolutionWeights { get }
  /// As they are added; nil: none.
  var biases: FloatView? { get }
  var weight: Parameter { get }
  var biasGradient: FloatView? { get }
}

extension ConvolutionLayer {
  /// Shape of the output for one sample.
  var output: Shape { convolution.geometry.output(samples: 1) }

  func save(_ x: consuming Signal, _ tape: inout Tape) { tape.push(x) }

  func output(of x: borrowing Signal, in arena: Arena) -> Tensor {
    var y = Tensor(convolution.geometry.output(samples: x.shape.n), in: arena)
    run(x, into: &y, accumulating: false)
    return y
  }

  func add(_ x: borrowing Signal, to y: inout Tensor) { run(x, into: &y, accumulating: true) }

  private func run(_ x: borrowing Signal, into y: inout Tensor, accumulating: Bool) {
    switch x {
    case .floats(let x):
      convolution.forward(
        x.tensor, weights: weights, bias: biases, into: &y, accumulating: accumulating)
    case .spikes(let x):
      convolution.forward(
        x.spikes, weights: weights, bias: biases, into: &y, accumulating: accumulating)
    }
  }

  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient {
    var gradient = gradient
    gradient.settle(in: tape.arena)
    switch tape.popSignal() {
    case .floats(let x): backwardWeights(gradient.value.tensor, input: x.tensor)
    case .spikes(let x):
      convolution.backwardWeights(
        x.spikes, gradient.value.tensor, into: weight.gradient, bias: biasGradient)
    }
    var gx = Tensor(
      convolution.geometry.input(samples: gradient.value.tensor.shape.n), in: tape.arena)
    convolution.backwardInput(gradient.value.tensor, weights: weights, into: &gx)
    return Gradient(gx)
  }

  /// The output for a frame, which the caller keeps.
  func output(ofFrame x: borrowing Tensor, in arena: Arena) -> Tensor {
    var y = Tensor(convolution.geometry.output(samples: x.shape.n), in: arena)
    convolution.forward(x, weights: weights, bias: biases, into: &y, accumulating: false)
    return y
  }

  /// Adds to the parameters' gradients alone.
  func backwardWeights(_ gy: borrowing Tensor, input x: borrowing Tensor) {
    convolution.backwardWeights(x, gy, into: weight.gradient, bias: biasGradient)
  }

  func summary(kind: String, parameters: Int) -> LayerSummary {
    let geometry = convolution.geometry
    let (kernel, stride) = (geometry.window.kernel, geometry.window.stride)
    let shape = geometry.input(samples: 1)
    let kept =
      switch input {
      case .frame, .keptSpikes: 0
      case .floats: shape.count * 4
      case .spikes: SpikeTensor.bytes(shape)
      }
    return LayerSummary(
      name: name, kind: "\(kind) \(kernel)x\(kernel)" + (stride > 1 ? " /\(stride)" : ""),
      output: output, parameters: parameters,
      multiplyAdds: output.pixels * geometry.weightCount, tapeBytes: kept)
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
