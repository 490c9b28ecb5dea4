/// The three passes of a fully connected layer. A sample is all its h * w * c elements in the order of
/// memory ("features"); weights are [outputs, features].
public struct FullyConnected {
  /// Elements of a sample of the input.
  public let features: Int
  /// Elements of a sample of the output.
  public let outputs: Int

  public init(features: Int, outputs: Int) {
    self.features = features
    self.outputs = outputs
  }

  /// `y = x weightsᵀ + bias`
  public func forward(
    _ x: borrowing Tensor, weights: FloatView, bias: FloatView, into y: inout Tensor
  ) {
    check(x.shape, y.shape)
    let (source, destination) = (x.pointer, y.pointer)
    let (features, outputs) = (features, outputs)
    forFixedParts(x.shape.n, grain: grain) { _, part in
      for sample in part {
        (destination + sample * outputs).update(from: bias.base, count: outputs)
      }
      MatrixProduct(m: part.count, n: outputs, k: features, transposingB: true).multiply(
        source + part.lowerBound * features, weights.base,
        into: destination + part.lowerBound * outputs, adding: true)
    }
  }

  /// `gx = gy weights`
  public func backwardInput(_ gy: borrowing Tensor, weights: FloatView, into gx: inout Tensor) {
    check(gx.shape, gy.shape)
    let (source, destination) = (gy.pointer, gx.pointer)
    let (features, outputs) = (features, outputs)
    forFixedParts(gy.shape.n, grain: grain) { _, part in
      MatrixProduct(m: part.count, n: features, k: outputs).multiply(
        source + part.lowerBound * outputs, weights.base,
        into: destination + part.lowerBound * features, adding: false)
    }
  }

  /// Adds `gyᵀ x` to `weightGradient` and the sum of `gy` over the samples to `biasGradient`.
  public func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView
  ) {
    check(x.shape, gy.shape)
    guard x.shape.n > 0 else { return }
    MatrixProduct(m: outputs, n: features, k: x.shape.n, transposingA: true).multiply(
      gy.pointer, x.pointer, into: weightGradient.base, adding: true)
    for sample in 0..<gy.shape.n {
      for output in 0..<outputs {
        biasGradient.base[output] += gy.pointer[sample * outputs + output]
      }
    }
  }

  /// Samples of a product, whose bits may depend on their number: so many that they are worth a thread's
  /// while, and reading the weights.
  private var grain: Int { max(4, 1 + 100_000 / max(features * outputs, 1)) }

  private func check(_ x: Shape, _ y: Shape) {
    precondition(
      x.count == x.n * features && y.count == y.n * outputs && x.n == y.n,
      "\(x) and \(y) do not fit \(features) features and \(outputs) outputs")
  }
}
