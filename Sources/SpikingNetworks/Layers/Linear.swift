import Tensors

/// A fully connected layer: `y = x Wᵀ + b`. Input [N, H, W, C], output [N, 1, 1, outputs].
final class Linear: Layer {
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

  func forward(_ x: consuming Tensor, _ tape: inout Tape) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.classifier, of: name, since: start) }
    var y = Tensor(Shape(n: x.shape.n, c: product.outputs), in: tape.arena)
    product.forward(x, weights: weight.values, bias: bias.values, into: &y)
    tape.push(x)
    return y
  }

  /// dL/dx from `gy`, dL/dy; adds to the parameters' gradients.
  func backward(_ gy: borrowing Tensor, _ tape: inout Tape) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.classifier, of: name, since: start) }
    let x = tape.popTensor()
    product.backwardWeights(x, gy, into: weight.gradient, bias: bias.gradient)
    var gx = Tensor(x.shape, in: tape.arena)
    product.backwardInput(gy, weights: weight.values, into: &gx)
    return gx
  }

  var summary: LayerSummary {
    LayerSummary(
      name: name, kind: "linear", output: Shape(n: 1, c: product.outputs),
      parameters: weight.count + bias.count, multiplyAdds: weight.count, tapeBytes: input.count * 4)
  }
}
