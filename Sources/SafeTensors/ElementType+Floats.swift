extension ElementType {
  /// Little-endian numbers of this type, rounded to `Float`; `nil` for a type of other than floating-point
  /// numbers.
  public func floats(_ bytes: UnsafeRawBufferPointer) -> [Float]? {
    switch self {
    case .float32: elements(in: bytes) { (bits: UInt32) in Float(bitPattern: bits) }
    case .float64: elements(in: bytes) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
    case .float16: elements(in: bytes) { (bits: UInt16) in float(half: bits) }
    case .bfloat16: elements(in: bytes) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
    default: nil
    }
  }
}

/// Little-endian numbers, converted. In files they need not be aligned.
func elements<Stored: FixedWidthInteger, Value>(
  in bytes: UnsafeRawBufferPointer, _ convert: (Stored) throws -> Value
) rethrows -> [Value] {
  let count = bytes.count / MemoryLayout<Stored>.size
  return try [Value](unsafeUninitializedCapacity: count) { values, initialized in
    for i in 0..<count {
      let stored = bytes.loadUnaligned(
        fromByteOffset: i * MemoryLayout<Stored>.size, as: Stored.self)
      values.initializeElement(at: i, to: try convert(Stored(littleEndian: stored)))
      initialized = i + 1
    }
  }
}

/// Exact, also in a program that takes denormal numbers for 0: Swift's conversion goes through them.
private func float(half bits: UInt16) -> Float {
  let magnitude = bits & 0x7fff
  guard magnitude < 0x400 else { return Float(Float16(bitPattern: bits)) }
  return Float(magnitude) * (bits == magnitude ? 0x1p-24 : -0x1p-24)
}

/// The bits of the nearest float16, also in a program that takes denormal numbers for 0.
func halfBits(_ value: Float) -> UInt16 {
  guard value.magnitude < 0x1p-14 else { return Float16(value).bitPattern }
  let magnitude = UInt16((value.magnitude * 0x1p24).rounded(.toNearestOrEven))
  return value.sign == .minus ? magnitude | 0x8000 : magnitude
}
