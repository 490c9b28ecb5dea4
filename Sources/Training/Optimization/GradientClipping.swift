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
  /// The sum of the elements' squares. Blocks are added in their order, so that it does not depend on the
  /// number of threads, which may differ from rank to rank.
  fileprivate var sumOfSquares: Double {
    let length = 16384
    let blocks = (count + length - 1) / length
    var sums = [Double](repeating: 0, count: blocks)
    sums.withUnsafeMutableBufferPointer { sums in
      let sums = sums.baseAddress
      parallelFor(blocks) { _, part in
        for block in part {
          let start = block * length
          sums![block] = self[start..<min(start + length, count)].serialSumOfSquares
        }
      }
    }
    return sums.reduce(0, +)
  }

  /// The same, on one thread.
  var serialSumOfSquares: Double {
    withUnsafeMutableBufferPointer { values in
      let bytes = UnsafeRawBufferPointer(values)
      let whole = values.count / 8 * 8
      var lanes = SIMD8<Double>()
      for index in stride(from: 0, to: whole, by: 8) {
        let offset = index * MemoryLayout<Float>.size
        let wide = SIMD8<Double>(
          bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self))
        lanes += wide * wide
      }
      return values[whole...].reduce(lanes.sum()) { $0 + Double($1) * Double($1) }
    }
  }
}
