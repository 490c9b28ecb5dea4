/// How the frames of a sample are stored: as the narrowest numbers that hold them exactly.
enum FrameEncoding: UInt32 {
  case uint8 = 1
  case uint16 = 2
  case float32 = 4
  /// In place of frames, the text that tells why there are none.
  case failure = 0

  /// Bytes of a number.
  var width: Int { Int(rawValue) }

  /// The narrowest encoding for these values.
  init(for values: [Float]) {
    var largest: Float = 0
    for value in values {
      guard value >= 0, value <= 65_535, value == value.rounded(.towardZero) else {
        self = .float32
        return
      }
      largest = max(largest, value)
    }
    self = largest <= 255 ? .uint8 : .uint16
  }

  /// Appends `values`, little-endian.
  func append(_ values: [Float], to bytes: inout [UInt8]) {
    bytes.reserveCapacity(bytes.count + values.count * width)
    switch self {
    case .uint8: for value in values { bytes.append(UInt8(value)) }
    case .uint16: for value in values { append(UInt16(value), to: &bytes) }
    case .float32: for value in values { append(value.bitPattern, to: &bytes) }
    case .failure: preconditionFailure("a failure has no values")
    }
  }

  private func append<Stored: FixedWidthInteger>(_ value: Stored, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Fills `values` from as many stored ones.
  func decode(_ bytes: [UInt8], into values: inout [Float]) {
    precondition(bytes.count == values.count * width, "as many numbers as values")
    bytes.withUnsafeBytes { raw in
      values.withUnsafeMutableBufferPointer { values in
        switch self {
        case .uint8:
          for index in values.indices { values[index] = Float(raw[index]) }
        case .uint16:
          for index in values.indices {
            let stored = raw.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
            values[index] = Float(UInt16(littleEndian: stored))
          }
        case .float32:
          for index in values.indices {
            let stored = raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
            values[index] = Float(bitPattern: UInt32(littleEndian: stored))
          }
        case .failure: preconditionFailure("a failure has no values")
        }
      }
    }
  }
}
