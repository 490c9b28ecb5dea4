/// Reads the recordings of N-MNIST: five bytes an event, x, y, then polarity in the top bit and 23
/// bits of a microsecond counter, big-endian.
func readATIS(
  _ bytes: [UInt8], sensor: Sensor, into buffer: inout EventBuffer
) throws(RecordingFailure) {
  buffer.begin(capacity: bytes.count / 5)
  var counter = UnwrappedCounter(bits: 23)
  var offset = 0
  while offset < bytes.count {
    guard bytes.count - offset >= 5 else {
      throw RecordingFailure(atByte: offset, "the file ends within an event of 5 bytes")
    }
    try bytes.requireNoFilling(at: offset, eventSize: 5)
    let (x, y) = (Int(bytes[offset]), Int(bytes[offset + 1]))
    let word = bytes.bigEndian(at: offset + 1) & 0xFF_FFFF
    guard let position = sensor.position(x: x, y: y, polarity: Int(word >> 23)) else {
      throw RecordingFailure(atByte: offset, outside(sensor, x: x, y: y))
    }
    buffer.append(time: counter.time(of: word & 0x7F_FFFF), position: position)
    offset += 5
  }
  buffer.finish()
}

/// Reads AEDAT 2.0 with the addresses of a DVS128: after the lines of the header, 32 bits of address and
/// 32 of a microsecond counter an event, big-endian. An address has 7 bits each for two coordinates, and
/// one that is 0 where it got brighter. As in published readers, bit 15 is not looked at.
func readAEDAT2(
  _ bytes: [UInt8], sensor: Sensor, convention: EventConvention, into buffer: inout EventBuffer
) throws(RecordingFailure) {
  var offset = try AEDATHeader(bytes, .two).end
  buffer.begin(capacity: (bytes.count - offset) / 8)
  var counter = UnwrappedCounter(bits: 32)
  while offset < bytes.count {
    guard bytes.count - offset >= 8 else {
      throw RecordingFailure(atByte: offset, "the file ends within an event of 8 bytes")
    }
    let address = bytes.bigEndian(at: offset)
    guard address >> 16 == 0 else {
      throw RecordingFailure(
        atByte: offset,
        "the address 0x\(String(address, radix: 16)) has more than the 16 bits of a DVS128: another"
          + " camera's, such as a DAVIS")
    }
    try bytes.requireNoFilling(at: offset, eventSize: 8)
    let (x, y) = convention.pixel(ofAddress: address)
    guard let position = sensor.position(x: x, y: y, polarity: Int(~address & 1)) else {
      throw RecordingFailure(atByte: offset, outside(sensor, x: x, y: y))
    }
    buffer.append(time: counter.time(of: bytes.bigEndian(at: offset + 4)), position: position)
    offset += 8
  }
  buffer.finish()
}

/// Reads the polarity events of AEDAT 3.1, as in DVS128-Gesture: after the header, packets of
/// little-endian events behind 28 bytes that tell their type, size and number, and how often the
/// 31-bit microsecond counter had started again. As in published readers, the mark of validity
/// in each event is not looked at.
func readAEDAT3(
  _ bytes: [UInt8], sensor: Sensor, into buffer: inout EventBuffer
) throws(RecordingFailure) {
  var offset = try AEDATHeader(bytes, .three).end
  buffer.begin(capacity: (bytes.count - offset) / 8)
  while offset < bytes.count {
    guard bytes.count - offset >= 28 else {
      throw RecordingFailure(atByte: offset, "the file ends within the 28 bytes before a packet")
    }
    let isPolarity = bytes.littleEndian(at: offset) & 0xFFFF == 1
    let size = Int(bytes.littleEndian(at: offset + 4))
    let overflows = Int64(bytes.littleEndian(at: offset + 12))
    let capacity = Int(bytes.littleEndian(at: offset + 16))
    let number = Int(bytes.littleEndian(at: offset + 20))
    let start = offset + 28
    guard capacity == 0 || size <= (bytes.count - start) / capacity else {
      throw RecordingFailure(
        atByte: offset, "a packet of \(capacity) events of \(size) bytes exceeds the file")
    }
    guard number <= capacity else {
      throw RecordingFailure(
        atByte: offset, "a packet for \(capacity) events claims to hold \(number)")
    }
    guard !isPolarity || size >= 8 || number == 0 else {
      throw RecordingFailure(atByte: offset, "polarity events have \(size) bytes, less than 8")
    }
    for index in 0..<(isPolarity ? number : 0) {
      let event = start + index * size
      let data = bytes.littleEndian(at: event)
      let (x, y) = (Int(data >> 17), Int(data >> 2 & 0x7FFF))
      guard let position = sensor.position(x: x, y: y, polarity: Int(data >> 1 & 1)) else {
        throw RecordingFailure(atByte: event, outside(sensor, x: x, y: y))
      }
      let time = overflows << 31 | Int64(bytes.littleEndian(at: event + 4))
      buffer.append(time: time, position: position)
    }
    offset = start + capacity * size
  }
  buffer.finish()
}

private func outside(_ sensor: Sensor, x: Int, y: Int) -> String {
  "an event at (\(x), \(y)) lies outside the \(sensor.width) x \(sensor.height) pixels"
}

extension [UInt8] {
  /// Throws if the event at `offset` and the next one are all zeros: a pixel cannot fire twice in a
  /// microsecond, but a file that was not written to its end may be filled up so.
  @inline(__always)
  fileprivate func requireNoFilling(
    at offset: Int, eventSize: Int
  ) throws(RecordingFailure) {
    guard count - offset >= 2 * eventSize,
      self[offset..<offset + 2 * eventSize].allSatisfy({ $0 == 0 })
    else { return }
    throw RecordingFailure(atByte: offset, "the file is filled with zeros: it is not complete")
  }

  /// The four bytes from `offset` on, which must exist.
  @inline(__always)
  func littleEndian(at offset: Int) -> UInt32 {
    precondition(offset >= 0 && offset + 4 <= count, "four bytes within the array")
    return withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
  }

  /// The four bytes from `offset` on, which must exist.
  @inline(__always)
  func bigEndian(at offset: Int) -> UInt32 { littleEndian(at: offset).byteSwapped }
}
