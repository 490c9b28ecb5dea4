import Tensors

/// Stochastic gradient descent with momentum and weight decay, as PyTorch's `SGD`:
///
///     g = gradient + decay w;  m = μ m + g;  w -= η m          (Nesterov: w -= η (g + μ m))
public final class SGD: ParameterOptimizer {
  private let momentum: Float
  private let usesNesterov: Bool
  private let weightDecay: Float
  private let velocity: FlatBuffer?
  public var updates = 0

  public init(count: Int, momentum: Double, usesNesterov: Bool = false, weightDecay: Double) {
    self.momentum = Float(momentum)
    self.usesNesterov = usesNesterov
    self.weightDecay = Float(weightDecay)
    velocity = momentum == 0 ? nil : FlatBuffer(count: count)
  }

  public var state: [(name: String, values: FloatView)] {
    velocity.map { [("momentum_buffer", $0.all)] } ?? []
  }

  /// The velocity is at most a gradient divided by 1 - μ; the rest is for weight decay.
  public var largestGradient: Float { .greatestFiniteMagnitude * (1 - momentum) / 4 }

  public func update(
    _ weights: FloatView, along gradients: FloatView, state offset: Int, learningRate: Double
  ) {
    precondition(weights.count == gradients.count)
    let range = offset..<offset + weights.count
    let (rate, momentum, decay) = (Float(learningRate), momentum, weightDecay)
    let usesNesterov = usesNesterov
    weights.withUnsafeMutableBufferPointer { weights in
      gradients.withUnsafeMutableBufferPointer { gradients in
        let (w, g) = (weights.baseAddress!, gradients.baseAddress!)
        guard let velocity else {
          parallelFor(weights.count, grain: elementGrain) { _, part in
            for i in part { w[i] -= rate * (g[i] + decay * w[i]) }
          }
          return
        }
        velocity[range].withUnsafeMutableBufferPointer { velocity in
          let v = velocity.baseAddress!
          parallelFor(weights.count, grain: elementGrain) { _, part in
            for i in part {
              let gradient = g[i] + decay * w[i]
              v[i] = momentum * v[i] + gradient
              w[i] -= rate * (usesNesterov ? gradient + momentum * v[i] : v[i])
            }
          }
        }
      }
    }
  }
}
