/// Numbers of 8 bytes, little-endian, and names with their length in 4 bytes in front, one after another.
enum ByteFields {
  /// Puts values at the end of bytes.
  struct Writer {
    var bytes: [UInt8] = []

    mutating func append(_ number: Int) {
      withUnsafeBytes(of: Int64(number).littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ number: UInt64) { append(Int(bitPattern: UInt(number))) }

    mutating func append(_ place: Range<Int>) {
      append(place.lowerBound)
      append(place.count)
    }

    mutating func append(_ name: some Collection<UInt8>) {
      withUnsafeBytes(of: UInt32(name.count).littleEndian) { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: name)
    }
  }

  /// Takes values off the front of bytes, as long as there are enough.
  struct Reader {
    private(set) var bytes: Slice<UnsafeRawBufferPointer>

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes[...] }

    mutating func byte() -> UInt8? { bytes.popFirst() }

    mutating func number() -> Int? {
      load(Int64.self).map { Int(Int64(littleEndian: $0)) }
    }

    /// A number of things, of which each takes at least a byte of those that were there.
    mutating func count() -> Int? {
      guard let number = number(), 0...bytes.endIndex ~= number else { return nil }
      return number
    }

    /// A place as its start and size.
    mutating func place() -> Range<Int>? {
      guard let start = number(), let size = number(), start >= 0, size >= 0,
        !start.addingReportingOverflow(size).overflow
      else { return nil }
      return start..<start + size
    }

    mutating func name() -> Slice<UnsafeRawBufferPointer>? {
      guard let length = load(UInt32.self).map({ Int(UInt32(littleEndian: $0)) }),
        bytes.count >= length
      else { return nil }
      defer { bytes = bytes.dropFirst(length) }
      return bytes.prefix(length)
    }

    private mutating func load<Value: BitwiseCopyable>(_ type: Value.Type) -> Value? {
      let size = MemoryLayout<Value>.size
      guard bytes.count >= size else { return nil }
      defer { bytes = bytes.dropFirst(size) }
      return bytes.base.loadUnaligned(fromByteOffset: bytes.startIndex, as: type)
    }
  }
}
