import Foundation
import Tensors

/// Turns gradients into new weights, in one pass over the flat buffers.
public protocol ParameterOptimizer: AnyObject {
  /// Updates some of the weights along their gradients, which are averaged over the global batch.
  /// `updates` must count this update already.
  ///
  /// - Parameter offset: where the state of these weights begins.
  func update(
    _ weights: FloatView, along gradients: FloatView, state offset: Int, learningRate: Double)

  /// What must be saved to go on: buffers laid out as the weights.
  var state: [(name: String, values: FloatView)] { get }

  /// Updates so far.
  var updates: Int { get set }
}

extension ParameterOptimizer {
  /// One update of all weights.
  public func update(_ weights: FloatView, along gradients: FloatView, learningRate: Double) {
    updates += 1
    update(weights, along: gradients, state: 0, learningRate: learningRate)
  }
}

/// Elements that are worth a thread's while in a pass over memory.
private let elementGrain = 16384

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

/// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), as PyTorch's `AdamW` with its
/// default constants:
///
///     w -= η decay w;  m = β₁ m + (1 - β₁) g;  s = β₂ s + (1 - β₂) g²
///     w -= η (m / (1 - β₁ⁿ)) / (sqrt(s / (1 - β₂ⁿ)) + ε)
public final class AdamW: ParameterOptimizer {
  private static let β1: Float = 0.9
  private static let β2: Float = 0.999
  private static let ε: Float = 1e-8

  private let weightDecay: Float
  private let mean: FlatBuffer
  private let square: FlatBuffer
  public var updates = 0

  public init(count: Int, weightDecay: Double) {
    self.weightDecay = Float(weightDecay)
    mean = FlatBuffer(count: count)
    square = FlatBuffer(count: count)
  }

  public var state: [(name: String, values: FloatView)] {
    [("exp_avg", mean.all), ("exp_avg_sq", square.all)]
  }

  public func update(
    _ weights: FloatView, along gradients: FloatView, state offset: Int, learningRate: Double
  ) {
    precondition(weights.count == gradients.count)
    let range = offset..<offset + weights.count
    let (β1, β2, ε) = (Self.β1, Self.β2, Self.ε)
    let shrink = Float(1 - learningRate * Double(weightDecay))
    let step = Float(learningRate / (1 - pow(Double(β1), Double(updates))))
    let squareScale = Float(1 / (1 - pow(Double(β2), Double(updates))))
    weights.withUnsafeMutableBufferPointer { weights in
      gradients.withUnsafeMutableBufferPointer { gradients in
        mean[range].withUnsafeMutableBufferPointer { mean in
          square[range].withUnsafeMutableBufferPointer { square in
            let (w, g) = (weights.baseAddress!, gradients.baseAddress!)
            let (m, s) = (mean.baseAddress!, square.baseAddress!)
            parallelFor(weights.count, grain: elementGrain) { _, part in
              for i in part {
                m[i] = β1 * m[i] + (1 - β1) * g[i]
                s[i] = β2 * s[i] + (1 - β2) * g[i] * g[i]
                w[i] = shrink * w[i] - step * m[i] / ((s[i] * squareScale).squareRoot() + ε)
              }
            }
          }
        }
      }
    }
  }
}
