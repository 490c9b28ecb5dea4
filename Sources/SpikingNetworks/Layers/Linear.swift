import Tensors

/// A fully connected layer: `y = x Wᵀ + b`. Input [N, H, W, C], output [N, 1, 1, outputs].
final class Linear: WeightedLayer {
  let name: String
  let weight: Parameter
  let bias: Parameter
  /// Of one sample.
  private let input: Shape
  private let content: LayerInput
  private let product: FullyConnected
  /// Where spikes become floats.
  private let arena: Arena
  private let profile: StepProfile?
  private(set) var spikeInput = SpikeInput()

  /// - Parameter input: of one sample.
  init(
    _ name: String, input: Shape, outputs: Int, weight: Initialization, bias: Initialization,
    reads content: LayerInput = .init(.floats), _ builder: NetworkBuilder
  ) {
    self.name = name
    self.input = input.withSamples(1)
    self.content = content
    let features = input.withSamples(1).count
    self.weight = builder.parameter(
      name + ".weight", [outputs, features], layout: .linear(outputs: outputs, input: input),
      weight)
    self.bias = builder.parameter(name + ".bias", [outputs], bias)
    product = FullyConnected(features: features, outputs: outputs)
    arena = builder.arena
    profile = builder.profile
  }

  var source: (any NeuronLayer)? { content.source }

  func beginSequence(_ context: IterationContext) { spikeInput = SpikeInput() }

  /// Shape of the output for one sample.
  var output: Shape { Shape(n: 1, c: product.outputs) }

  func output(of x: borrowing Signal, in arena: Arena) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.classifier, of: name, since: start) }
    spikeInput.add(x)
    let x = x.values(in: arena)
    var y = Tensor(Shape(n: x.tensor.shape.n, c: product.outputs), in: arena)
    product.forward(x.tensor, weights: weight.values, bias: bias.values, into: &y)
    return y
  }

  func backwardWeights(_ gy: borrowing Tensor, input x: borrowing Signal) {
    let start = ContinuousClock.now
    defer { profile?.add(.classifier, of: name, since: start) }
    let x = x.values(in: arena)
    product.backwardWeights(x.tensor, gy, into: weight.gradient, bias: bias.gradient)
  }

  func backwardInput(_ gy: borrowing Tensor, in arena: Arena) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.classifier, of: name, since: start) }
    var gx = Tensor(input.withSamples(gy.shape.n), in: arena)
    product.backwardInput(gy, weights: weight.values, into: &gx)
    return gx
  }

  var summary: LayerSummary {
    LayerSummary(
      name: name, kind: "linear", output: output,
      parameters: weight.count + bias.count, macs: weight.count, inputPlanes: content.planes,
      tapeBytes: content.keptBytes(input), traceBytes: content.traceBytes(input),
      averagesBytes: content.averagesBytes(input))
  }
}
