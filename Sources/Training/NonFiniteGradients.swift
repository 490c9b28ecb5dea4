import SpikingNetworks
import Tensors

extension ParameterStore {
  /// The first parameter, in the order of the forward pass, whose gradient has an element that is not
  /// finite or would not be after adding up as large ones of so many ranks; nil if there is none.
  func firstNonFiniteGradient(ranks: Int) -> Int? {
    let limit = (Float.greatestFiniteMagnitude / Float(ranks)).bitPattern
    guard gradients.largestMagnitudeBits > limit else { return nil }
    return parametersInForwardOrder.firstIndex { $0.gradient.largestMagnitudeBits > limit }
  }
}

extension FloatView {
  /// The bits of the element of greatest magnitude, without its sign. As integers these are in the order
  /// of the magnitudes, with infinity and NaN above all numbers.
  fileprivate var largestMagnitudeBits: UInt32 {
    withUnsafeMutableBufferPointer { values in
      let bits = UnsafeMutableRawBufferPointer(values).bindMemory(to: UInt32.self)
      var largest = SIMD16<UInt32>()
      let whole = bits.count / 16 * 16
      var index = 0
      while index < whole {
        var lanes = SIMD16<UInt32>()
        for lane in 0..<16 { lanes[lane] = bits[index + lane] }
        largest = pointwiseMax(largest, lanes & 0x7fff_ffff)
        index += 16
      }
      return bits[whole...].reduce(largest.max()) { max($0, $1 & 0x7fff_ffff) }
    }
  }
}
