import Testing

@testable import Distributed

struct BFloat16Tests {
  private func rounded(_ values: [Float]) -> [UInt16] {
    var result = [UInt16](repeating: 0, count: values.count)
    values.withUnsafeBufferPointer { values in
      result.withUnsafeMutableBufferPointer { BFloat16.round(values, into: $0) }
    }
    return result
  }

  private func widened(_ values: [UInt16]) -> [Float] {
    var result = [Float](repeating: 0, count: values.count)
    values.withUnsafeBufferPointer { values in
      result.withUnsafeMutableBufferPointer { BFloat16.widen(values, into: $0) }
    }
    return result
  }

  @Test func everyNumberStaysAsItIs() {
    let all = (0...UInt16.max).map { $0 }
    let values = widened(all)
    let again = rounded(values)
    for (bits, (value, result)) in zip(all, zip(values, again)) {
      #expect(value.bitPattern == UInt32(bits) << 16)
      // A NaN may become a quiet one.
      #expect(value.isNaN ? widened([result])[0].isNaN : result == bits)
    }
  }

  /// Against the definition: of the two neighbours the nearer one, or the even one.
  @Test func numbersAreRoundedToTheNearest() {
    let upper: [UInt32] = [0x0000, 0x3f80, 0x3f81, 0x4049, 0x7f7e, 0x807f, 0xbf80, 0xff01]
    for high in upper {
      for low: UInt32 in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
        let isUp = low > 0x8000 || low == 0x8000 && high % 2 == 1
        let result = rounded([Float(bitPattern: high << 16 | low)])[0]
        #expect(UInt32(result) == high + (isUp ? 1 : 0), "\(high) \(low)")
      }
    }
    #expect(widened(rounded([.greatestFiniteMagnitude, -.infinity])) == [.infinity, -.infinity])
    for nan: UInt32 in [0x7fff_ffff, 0xffff_ffff, 0x7f80_0001] {
      #expect(widened(rounded([Float(bitPattern: nan)]))[0].isNaN)
    }
  }

  @Test func sumsAreInFloat32() {
    var sums: [Float] = [1, -2, 0.1]
    let values = rounded([0.001, 2, -3])
    sums.withUnsafeMutableBufferPointer { sums in
      values.withUnsafeBufferPointer { BFloat16.add($0, to: sums) }
    }
    #expect(sums == [1 + widened(values)[0], 0, 0.1 - 3])
  }
}
