import Foundation
import Tensors

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

  /// Beyond it g² overflows, and in time s: it would be infinite ever after, and the weight stand still.
  public var largestGradient: Float { Float.greatestFiniteMagnitude.squareRoot() / 2 }

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
