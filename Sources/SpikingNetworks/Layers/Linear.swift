import Tensors

/// A fully connected layer: `y = x Wᵀ + b`. Input [N, H, W, C], output [N, 1, 1, outputs].
final class Linear: Layer, Node {
  let name: String
  let weight: Parameter
  let bias: Parameter
  private let input: Shape
  private let product: FullyConnected
  private let profile: StepProfile?

  /// - Parameter input: of one sample.
  init(
    _ name: String, input: Shape, outputs: Int, weight: Initialization, bias: Initialization,
    _ builder: NetworkBuilder
  ) {
    self.name = name
    self.input = input.withSamples(1)
    let features = input.withSamples(1).count
    self.weight = builder.parameter(
      name + ".weight", [outputs, features], layout: .linear(outputs: outputs, input: input),
      weight)
    self.bias = builder.parameter(name + ".bias", [outputs], bias)
    product = FullyConnected(features: features, outputs: outputs)
    profile = builder.profile
  }

  /// Shape of the output for one sample.
  var output: Shape { Shape(n: 1, c: product.outputs) }

  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    let start = ContinuousClock.now
    defer { profile?.add(.classifier, of: name, since: start) }
    let x = x.floats()
    var y = Tensor(Shape(n: x.tensor.shape.n, c: product.outputs), in: tape.arena)
    product.forward(x.tensor, weights: weight.values, bias: bias.values, into: &y)
    tape.push(x)
    return .floats(SharedTensor(y))
  }

  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient {
    var gradient = gradient
    gradient.settle(in: tape.arena)
    let start = ContinuousClock.now
    defer { profile?.add(.classifier, of: name, since: start) }
    let x = tape.popSignal().floats()
    product.backwardWeights(
      x.tensor, gradient.value.tensor, into: weight.gradient, bias: bias.gradient)
    var gx = Tensor(x.tensor.shape, in: tape.arena)
    product.backwardInput(gradient.value.tensor, weights: weight.values, into: &gx)
    return Gradient(gx)
  }

  var summary: LayerSummary {
    LayerSummary(
      name: name, kind: "linear", output: output,
      parameters: weight.count + bias.count, multiplyAdds: weight.count, tapeBytes: input.count * 4)
  }
}
