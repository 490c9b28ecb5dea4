/// Reads the bytes of a pickle from the first to the last.
struct PickleReader {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func read(_ count: Int) throws(Unpickler.Failure) -> ArraySlice<UInt8> {
    guard count <= bytes.count - position else {
      throw .damaged("ends at byte \(bytes.count) in the middle of an instruction")
    }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// Little-endian, of at most 4 bytes.
  mutating func unsigned(_ count: Int) throws(Unpickler.Failure) -> Int {
    try read(count).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// Little-endian with a sign.
  mutating func long(_ count: Int) throws(Unpickler.Failure) -> Int {
    guard count <= 8 else { throw .damaged("has an integer of more than 64 bits") }
    let digits = try read(count)
    let isNegative = digits.last.map { $0 >= 0x80 } ?? false
    return digits.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) }
  }

  mutating func text(_ count: Int) throws(Unpickler.Failure) -> String {
    String(decoding: try read(count), as: UTF8.self)
  }

  /// Up to the next line feed.
  mutating func line() throws(Unpickler.Failure) -> String {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw .damaged("ends at byte \(bytes.count) in the middle of a name")
    }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }
}
