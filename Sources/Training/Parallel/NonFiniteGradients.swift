import SpikingNetworks
import Tensors

extension ParameterStore {
  /// The first parameter, in the order of the forward pass, whose gradient has an element that is not
  /// finite, or too large; nil if there is none.
  ///
  /// - Parameters:
  ///   - range: of the gradients, of the parameters that are looked at.
  ///   - largest: the greatest magnitude that is not too large.
  func firstNonFiniteGradient(
    in range: Range<Int>, largest: Float = .greatestFiniteMagnitude
  ) -> Int? {
    let limit = largest.bitPattern
    guard gradients[range].largestMagnitudeBits > limit else { return nil }
    return parametersInForwardOrder.firstIndex {
      range.contains(self.range(of: $0).lowerBound) && $0.gradient.largestMagnitudeBits > limit
    }
  }
}

extension FloatView {
  /// The bits of the element of greatest magnitude, without its sign. As integers these are in the order
  /// of the magnitudes, with infinity and NaN above all numbers.
  fileprivate var largestMagnitudeBits: UInt32 {
    let length = 1 << 16
    let blocks = (count + length - 1) / length
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: blocks) { largest in
      let base = largest.baseAddress
      parallelFor(blocks) { _, part in
        for block in part {
          let start = block * length
          base![block] = self[start..<min(start + length, count)].blockLargestMagnitudeBits
        }
      }
      return largest.max() ?? 0
    }
  }

  /// The same, on one thread.
  private var blockLargestMagnitudeBits: UInt32 {
    withUnsafeMutableBufferPointer { values in
      let bytes = UnsafeRawBufferPointer(values)
      var largest = SIMD16<UInt32>()
      let width = MemoryLayout<SIMD16<UInt32>>.size
      let whole = bytes.count / width * width
      for offset in stride(from: 0, to: whole, by: width) {
        let lanes = bytes.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt32>.self)
        largest = pointwiseMax(largest, lanes & 0x7fff_ffff)
      }
      return values[(whole / 4)...].reduce(largest.max()) { max($0, $1.magnitude.bitPattern) }
    }
  }
}
