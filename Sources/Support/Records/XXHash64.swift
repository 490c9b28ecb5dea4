/// The hash XXH64 (Yann Collet, xxhash.com), as a checksum of files, records and weights: about as fast
/// as memory, and the same that the program `xxh64sum` prints. Not cryptographic.
public struct XXHash64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  private var lanes: SIMD4<UInt64>
  private let seed: UInt64
  private var length: UInt64 = 0
  /// Less than one block of 32 bytes.
  private var rest: [UInt8] = []

  public init(seed: UInt64 = 0) {
    self.seed = seed
    lanes = SIMD4(
      seed &+ Self.prime1 &+ Self.prime2, seed &+ Self.prime2, seed, seed &- Self.prime1)
    rest.reserveCapacity(32)
  }

  /// The hash of one block of bytes.
  public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = XXHash64()
    hash.update(bytes)
    return hash.value
  }

  public static func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { hash($0) } }

  /// Takes in more bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    length &+= UInt64(bytes.count)
    var position = 0
    if !rest.isEmpty {
      position = min(32 - rest.count, bytes.count)
      rest.append(contentsOf: bytes[..<position])
      guard rest.count == 32 else { return }
      rest.withUnsafeBytes { self.lanes = Self.mixed(self.lanes, $0, at: 0) }
      rest.removeAll(keepingCapacity: true)
    }
    var lanes = self.lanes
    while bytes.count - position >= 32 {
      lanes = Self.mixed(lanes, bytes, at: position)
      position += 32
    }
    self.lanes = lanes
    rest.append(contentsOf: bytes[position...])
  }

  /// Takes in one name of a list; the 0 after it keeps neighbours apart.
  public mutating func update(name: some StringProtocol) {
    (Array(name.utf8) + [0]).withUnsafeBytes { update($0) }
  }

  /// The hash of all bytes so far.
  public var value: UInt64 {
    var hash: UInt64
    if length >= 32 {
      hash =
        Self.rotated(lanes[0], 1) &+ Self.rotated(lanes[1], 7) &+ Self.rotated(lanes[2], 12)
        &+ Self.rotated(lanes[3], 18)
      for lane in 0..<4 {
        hash = (hash ^ Self.round(0, lanes[lane])) &* Self.prime1 &+ Self.prime4
      }
    } else {
      hash = seed &+ Self.prime5
    }
    hash &+= length
    rest.withUnsafeBytes { rest in
      var position = 0
      while rest.count - position >= 8 {
        hash ^= Self.round(0, Self.word(rest, at: position))
        hash = Self.rotated(hash, 27) &* Self.prime1 &+ Self.prime4
        position += 8
      }
      if rest.count - position >= 4 {
        let half = UInt64(
          UInt32(littleEndian: rest.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        hash = Self.rotated(hash ^ half &* Self.prime1, 23) &* Self.prime2 &+ Self.prime3
        position += 4
      }
      for byte in rest[position...] {
        hash = Self.rotated(hash ^ UInt64(byte) &* Self.prime5, 11) &* Self.prime1
      }
    }
    hash = (hash ^ hash >> 33) &* Self.prime2
    hash = (hash ^ hash >> 29) &* Self.prime3
    return hash ^ hash >> 32
  }

  @inline(__always)
  private static func mixed(
    _ lanes: SIMD4<UInt64>, _ bytes: UnsafeRawBufferPointer, at position: Int
  ) -> SIMD4<UInt64> {
    SIMD4(
      round(lanes[0], word(bytes, at: position)), round(lanes[1], word(bytes, at: position + 8)),
      round(lanes[2], word(bytes, at: position + 16)),
      round(lanes[3], word(bytes, at: position + 24)))
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotated(lane &+ word &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func word(_ bytes: UnsafeRawBufferPointer, at position: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
  }

  @inline(__always)
  private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value << bits | value >> (64 - bits)
  }
}
