import Distributed
import Tensors

/// Clipping of the gradient g of all parameters together by its norm, as PyTorch's `clip_grad_norm_`
/// (Pascanu et al., ICML 2013):
///
///     g *= min(1, c / (|g| + 1e-6))
struct GradientClipping {
  /// c
  let largestNorm: Double

  /// Shortens the gradient.
  ///
  /// - Parameter gradients: sums over the ranks, the same on all of them.
  func clip(_ gradients: FloatView) {
    scale(gradients, norm: gradients.sumOfSquares.squareRoot())
  }

  /// Shortens a gradient that is divided among the ranks: this rank's parts, and what is everybody's. A
  /// collective.
  ///
  /// - Parameter gradients: of all parameters, in which this rank's parts are sums over the ranks.
  func clip(
    _ gradients: FloatView, _ shards: OptimizerShards, _ communicator: any Communicator
  ) throws {
    let own = shards.chunks.map { gradients[shards.part(of: $0)] }
    let shared = gradients[shards.dividedCount..<gradients.count]
    // Added up by each rank in the order of the ranks, so that all get the same bits.
    let squares = try communicator.allGather(
      own.reduce(0) { $0 + $1.sumOfSquares }.bitPattern)
    let norm = squares.reduce(shared.sumOfSquares) { $0 + Double(bitPattern: $1) }.squareRoot()
    for part in own + [shared] { scale(part, norm: norm) }
  }

  private func scale(_ gradients: FloatView, norm: Double) {
    let factor = largestNorm / (norm + 1e-6)
    if factor < 1 { gradients.assign(gradients, times: Float(factor)) }
  }
}

extension FloatView {
  /// The sum of the elements' squares, which does not depend on the number of threads.
  fileprivate var sumOfSquares: Double {
    let block = 16384
    var sums = [Double](repeating: 0, count: (count + block - 1) / block)
    withUnsafeMutableBufferPointer { values in
      sums.withUnsafeMutableBufferPointer { sums in
        let sums = sums.baseAddress
        parallelFor((values.count + block - 1) / block) { _, part in
          for index in part {
            let range = index * block..<min((index + 1) * block, values.count)
            var lanes = SIMD8<Double>()
            let whole = range.count / 8 * 8
            for first in stride(from: range.lowerBound, to: range.lowerBound + whole, by: 8) {
              let lane = UnsafeRawPointer(values.baseAddress! + first)
                .loadUnaligned(as: SIMD8<Float>.self)
              let wide = SIMD8<Double>(lane)
              lanes += wide * wide
            }
            var sum = lanes.sum()
            for place in range.lowerBound + whole..<range.upperBound {
              sum += Double(values[place]) * Double(values[place])
            }
            sums![index] = sum
          }
        }
      }
    }
    return sums.reduce(0, +)
  }
}
