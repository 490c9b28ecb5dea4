/// Numbers in bfloat16, the upper half of a float32: the same range, 8 bits of precision.
///
/// The loops are plain so that the compiler makes vector code of them.
enum BFloat16 {
  /// Rounds to the nearest, of two equally near ones to the even one; NaN stays NaN.
  static func round(
    _ values: UnsafeBufferPointer<Float>, into rounded: UnsafeMutableBufferPointer<UInt16>
  ) {
    precondition(rounded.count == values.count)
    guard let source = values.baseAddress, let destination = rounded.baseAddress else { return }
    for i in 0..<values.count {
      let bits = source[i].bitPattern
      let nearest = (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16
      let quiet = bits >> 16 | 0x40
      destination[i] = UInt16(
        truncatingIfNeeded: bits & 0x7fff_ffff > 0x7f80_0000 ? quiet : nearest)
    }
  }

  /// Takes the numbers that `rounded` stands for.
  static func widen(
    _ rounded: UnsafeBufferPointer<UInt16>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(rounded.count == values.count)
    guard let source = rounded.baseAddress, let destination = values.baseAddress else { return }
    for i in 0..<values.count {
      destination[i] = Float(bitPattern: UInt32(source[i]) << 16)
    }
  }

  /// Adds the numbers that `rounded` stands for.
  static func add(
    _ rounded: UnsafeBufferPointer<UInt16>, to sums: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(rounded.count == sums.count)
    guard let source = rounded.baseAddress, let destination = sums.baseAddress else { return }
    for i in 0..<sums.count {
      destination[i] += Float(bitPattern: UInt32(source[i]) << 16)
    }
  }
}
