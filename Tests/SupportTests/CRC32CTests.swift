import Support
import Testing

struct CRC32CTests {
  /// RFC 3720, B.4, and the check value of the catalogue of CRCs.
  @Test(
    arguments: [
      ([], 0), (Array("123456789".utf8), 0xe306_9283),
      ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
      ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43), (Array(0..<32), 0x46dd_794e),
    ] as [([UInt8], UInt32)])
  func knownChecksums(_ bytes: [UInt8], _ checksum: UInt32) {
    #expect(CRC32C.checksum(bytes) == checksum)
  }
}
