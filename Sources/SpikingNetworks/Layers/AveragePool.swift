import Tensors

/// Average pooling: with a window, adaptive, or over the whole image. [N, H, W, C] to [N, H', W', C].
final class AveragePool: Layer, Node {
  let name: String
  private let pooling: AveragePooling
  private let profile: StepProfile?

  init(_ name: String, _ pooling: AveragePooling, _ builder: NetworkBuilder) {
    self.name = name
    self.pooling = pooling
    profile = builder.profile
  }

  /// The window of every output pixel; `nil` where they have several sizes.
  var window: SlidingWindow? { pooling.window }

  /// Shape of the output for one sample.
  var output: Shape { pooling.output(samples: 1) }

  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    switch consume x {
    case .floats(let x): return .floats(SharedTensor(forward(x.tensor, in: tape.arena)))
    case .spikes(let x):
      let start = ContinuousClock.now
      defer { profile?.add(.pooling, of: name, since: start) }
      return .floats(SharedTensor(pooling.forward(x, in: tape.arena)))
    }
  }

  /// For spikes, with respect to the values that they stand for.
  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient {
    var gradient = gradient
    gradient.settle(in: tape.arena)
    return Gradient(backward(gradient.value.tensor, in: tape.arena))
  }

  func forward(_ x: borrowing Tensor, in arena: Arena) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.pooling, of: name, since: start) }
    return pooling.forward(x, in: arena)
  }

  func backward(_ gy: borrowing Tensor, in arena: Arena) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.pooling, of: name, since: start) }
    return pooling.backward(gy, in: arena)
  }

  var summary: LayerSummary {
    LayerSummary(name: name, kind: "average pool", output: output)
  }
}
