extension SafeTensorsFile {
  /// The elements of a floating-point tensor (F64, F32, F16 or BF16), row-major, rounded to `Float`.
  public func floats(_ name: String) throws -> [Float] {
    let tensor = try tensor(name)
    guard let values = mapping.withBytes(tensor.bytes, tensor.type.floats) else {
      throw wrongType(name, tensor, wanted: "floating-point numbers")
    }
    return values
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

  private func wrongType(_ name: String, _ tensor: Tensor, wanted: String) -> SafeTensorsError {
    SafeTensorsError(path, tensor: name, .wrongElementType(tensor.type.rawValue, wanted: wanted))
  }

  private func elements<Stored: FixedWidthInteger>(
    of tensor: Tensor, _ convert: (Stored) throws -> Int
  ) rethrows -> [Int] {
    try mapping.withBytes(tensor.bytes) { try SafeTensors.elements(in: $0, convert) }
  }
}
