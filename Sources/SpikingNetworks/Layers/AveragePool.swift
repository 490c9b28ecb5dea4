import Tensors

/// Average pooling: with a window, adaptive, or over the whole image. [N, H, W, C] to [N, H', W', C].
final class AveragePool: Layer {
  let name: String
  private let pooling: AveragePooling
  private let arena: Arena
  private let isOutputKept: Bool
  private let profile: StepProfile?

  /// - Parameter isOutputKept: whether the tape keeps the output for the layer that follows.
  init(
    _ name: String, _ pooling: AveragePooling, isOutputKept: Bool = false, _ builder: NetworkBuilder
  ) {
    self.name = name
    self.pooling = pooling
    self.isOutputKept = isOutputKept
    arena = builder.arena
    profile = builder.profile
  }

  /// Shape of the output for one sample.
  var output: Shape { pooling.output(samples: 1) }

  func forward(_ x: borrowing Tensor) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.pooling, of: name, since: start) }
    return pooling.forward(x, in: arena)
  }

  func forward(_ x: borrowing SpikeTensor) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.pooling, of: name, since: start) }
    return pooling.forward(x, in: arena)
  }

  /// dL/dx from dL/dy; for spikes, with respect to the values that they stand for.
  func backward(_ gy: borrowing Tensor) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.pooling, of: name, since: start) }
    return pooling.backward(gy, in: arena)
  }

  var summary: LayerSummary {
    LayerSummary(
      name: name, kind: "average pool", output: output,
      tapeBytes: isOutputKept ? output.count * 4 : 0)
  }
}
