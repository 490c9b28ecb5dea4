extension SafeTensorsFile {
  /// The elements of a floating-point tensor (F64, F32, F16 or BF16), row-major, rounded to `Float`.
  public func floats(_ name: String) throws -> [Float] {
    let tensor = try tensor(name)
    return switch tensor.type {
    case .float32: elements(of: tensor) { (bits: UInt32) in Float(bitPattern: bits) }
    case .float64: elements(of: tensor) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
    case .float16: elements(of: tensor) { (bits: UInt16) in float(half: bits) }
    case .bfloat16: elements(of: tensor) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
    default: throw wrongType(name, tensor, wanted: "floating-point numbers")
    }
  }

  /// The elements of a floating-point tensor, which must have the given shape.
  public func floats(_ name: String, shape: [Int]) throws -> [Float] {
    try require(name, shape)
    return try floats(name)
  }

  /// - Parameter minimum: the least value that an element may have.
  /// - Throws: what `floats(_:shape:)` would; also if an element is not finite as a `Float`, or less.
  public func checkFinite(_ name: String, shape: [Int], atLeast minimum: Float? = nil) throws {
    let values = try floats(name, shape: shape)
    let wrong = values.firstIndex { value in
      !value.isFinite || minimum.map { value < $0 } == true
    }
    guard let wrong else { return }
    throw SafeTensorsError(
      path, tensor: name,
      .wrongElement(
        values[wrong], number: wrong,
        expected: "finite numbers" + (minimum.map { " of at least \($0)" } ?? "")))
  }

  /// The elements of an integer or Boolean tensor, row-major.
  public func integers(_ name: String) throws -> [Int] {
    let tensor = try tensor(name)
    return switch tensor.type {
    case .bool, .uint8: elements(of: tensor) { (value: UInt8) in Int(value) }
    case .int8: elements(of: tensor) { (value: Int8) in Int(value) }
    case .uint16: elements(of: tensor) { (value: UInt16) in Int(value) }
    case .int16: elements(of: tensor) { (value: Int16) in Int(value) }
    case .uint32: elements(of: tensor) { (value: UInt32) in Int(value) }
    case .int32: elements(of: tensor) { (value: Int32) in Int(value) }
    case .int64: elements(of: tensor) { (value: Int64) in Int(value) }
    case .uint64:
      try elements(of: tensor) { (value: UInt64) in
        guard let integer = Int(exactly: value) else {
          throw SafeTensorsError(path, tensor: name, .malformed("holds \(value), beyond 2^63 - 1"))
        }
        return integer
      }
    default: throw wrongType(name, tensor, wanted: "integers")
    }
  }

  /// The elements of an integer or Boolean tensor, which must have the given shape.
  public func integers(_ name: String, shape: [Int]) throws -> [Int] {
    try require(name, shape)
    return try integers(name)
  }

  private func require(_ name: String, _ shape: [Int]) throws {
    let found = try self.shape(of: name)
    guard found == shape else {
      throw SafeTensorsError(path, tensor: name, .wrongShape(found, expected: shape))
    }
  }

  private func wrongType(_ name: String, _ tensor: Tensor, wanted: String) -> SafeTensorsError {
    SafeTensorsError(path, tensor: name, .wrongElementType(tensor.type.rawValue, wanted: wanted))
  }

  /// The header's length is arbitrary, so elements need not be aligned in memory.
  private func elements<Stored: FixedWidthInteger, Value>(
    of tensor: Tensor, _ convert: (Stored) throws -> Value
  ) rethrows -> [Value] {
    try mapping.withBytes(tensor.bytes) { bytes in
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
  }
}

/// Exact, also in a program that takes denormal numbers for 0: Swift's conversion goes through them.
private func float(half bits: UInt16) -> Float {
  let magnitude = bits & 0x7fff
  guard magnitude < 0x400 else { return Float(Float16(bitPattern: bits)) }
  return Float(magnitude) * (bits == magnitude ? 0x1p-24 : -0x1p-24)
}
