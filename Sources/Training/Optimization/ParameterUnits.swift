import SpikingNetworks
import Tensors

/// The units of a parameter: the slices along the first dimension of its published shape, which are output
/// channels of a convolution and rows of a linear layer. A vector or a scalar is one unit.
///
/// In memory, element e of the parameter belongs to unit `e / length % count`.
struct ParameterUnits {
  /// Where the parameter lies in a buffer laid out as the weights.
  let range: Range<Int>
  /// Number of units.
  let count: Int
  /// Elements of one unit that lie side by side.
  let length: Int

  /// - Parameter range: where the parameter lies.
  init(of parameter: Parameter, at range: Range<Int>) {
    self.range = range
    guard parameter.shape.count > 1 else {
      (count, length) = (1, range.count)
      return
    }
    count = parameter.shape[0]
    // The output channels of a convolution lie side by side.
    if case .convolution = parameter.layout { length = 1 } else { length = range.count / count }
  }

  /// Adds the squares of elements to the sums of their units, [count].
  ///
  /// - Parameters:
  ///   - values: laid out as the weights.
  ///   - part: of the values; those that are not this parameter's are passed over.
  func addSquares(of values: FloatView, in part: Range<Int>, to sums: inout [Double]) {
    sums.withUnsafeMutableBufferPointer { sums in
      values.withUnsafeMutableBufferPointer { buffer in
        let (sums, x) = (sums.baseAddress!, buffer.baseAddress!)
        forEachPiece(of: part) { unit, piece in
          if length > 1 {
            sums[unit] += values[piece].serialSumOfSquares
          } else {
            let (sums, x) = (sums + unit, x + piece.lowerBound)
            for index in 0..<piece.count { sums[index] += Double(x[index]) * Double(x[index]) }
          }
        }
      }
    }
  }

  /// Multiplies elements by the factors of their units, [count].
  ///
  /// - Parameters: as those of `addSquares`.
  func multiply(_ values: FloatView, in part: Range<Int>, by factors: [Float]) {
    factors.withUnsafeBufferPointer { factors in
      values.withUnsafeMutableBufferPointer { values in
        let (factors, x) = (factors.baseAddress!, values.baseAddress!)
        forEachPiece(of: part) { unit, piece in
          if length > 1 {
            for index in piece { x[index] *= factors[unit] }
          } else {
            let (factors, x) = (factors + unit, x + piece.lowerBound)
            for index in 0..<piece.count { x[index] *= factors[index] }
          }
        }
      }
    }
  }

  /// Calls `body` for pieces of memory: elements of one unit, or where units have one element side by side,
  /// one element each of the units from `unit` on. A unit is one thread's, in the order of memory, so that
  /// its sum does not depend on the number of threads.
  private func forEachPiece(
    of part: Range<Int>, _ body: (_ unit: Int, _ piece: Range<Int>) -> Void
  ) {
    let wanted = part.clamped(to: range)
    let period = count * length
    let first = wanted.lowerBound - (wanted.lowerBound - range.lowerBound) % period
    // A cache line of floats, and as many units as are worth a thread.
    let grain = max(16, elementGrain * count / max(range.count, 1))
    parallelFor(count, grain: grain) { _, units in
      let together = length > 1 ? 1 : units.count
      for start in stride(from: first, to: wanted.upperBound, by: period) {
        for unit in stride(from: units.lowerBound, to: units.upperBound, by: together) {
          let piece = (start + unit * length..<start + (unit + together) * length)
            .clamped(to: wanted)
          if !piece.isEmpty { body((piece.lowerBound - start) / length, piece) }
        }
      }
    }
  }
}
