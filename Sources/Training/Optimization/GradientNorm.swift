import Distributed
import Tensors

extension OptimizerShards {
  /// |g| of a gradient that is divided among the ranks; the same bits on all of them. A collective.
  ///
  /// - Parameter gradients: of all parameters, in which this rank's parts are sums over the ranks.
  func norm(of gradients: FloatView, _ communicator: any Communicator) throws -> Double {
    let shared = gradients[dividedCount..<gradients.count]
    // Added up by each rank in the order of the ranks.
    let squares = try communicator.allGather(
      ownParts(of: gradients).reduce(0) { $0 + $1.sumOfSquares }.bitPattern)
    return squares.reduce(shared.sumOfSquares) { $0 + Double(bitPattern: $1) }.squareRoot()
  }

  /// What this rank has the sums of, besides what all ranks have.
  func ownParts(of gradients: FloatView) -> [FloatView] {
    chunks.map { gradients[part(of: $0)] }
  }
}

extension FloatView {
  /// The square root of the sum of the elements' squares.
  var norm: Double { sumOfSquares.squareRoot() }

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
