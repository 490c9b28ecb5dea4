/// The checksum CRC-32C (Castagnoli), as in iSCSI (RFC 3720, B.4): the one of TFRecord files.
public enum CRC32C {
  /// 0x1EDC6F41, its bits in reverse.
  private static let polynomial: UInt32 = 0x82F6_3B78

  /// What a byte does to the remainder.
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in rest >> 1 ^ (rest & 1 == 1 ? polynomial : 0) }
  }

  public static func checksum(_ bytes: [UInt8]) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      ~bytes.reduce(~0) { rest, byte in
        rest >> 8 ^ table[Int(UInt8(truncatingIfNeeded: rest) ^ byte)]
      }
    }
  }
}
