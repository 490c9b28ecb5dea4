import Support
import Testing

@testable import Support

struct XXHash64Tests {
  private static let hundred = (0..<100).map { UInt8(truncatingIfNeeded: $0 * 7) }

  @Test(
    "The hashes are those of the xxhash library",
    arguments: [
      ([], 0xef46_db37_51d8_e999), (Array("a".utf8), 0xd24e_c4f1_a98c_6e5b),
      (Array("abc".utf8), 0x44bc_2cf5_ad77_0999),
      (Array("The quick brown fox jumps over the lazy dog".utf8), 0x0b24_2d36_1fda_71bc),
      (hundred, 0x8e22_72c0_8247_d5db), (Array(hundred[..<32]), 0x91b0_cb09_31a8_c629),
    ] as [([UInt8], UInt64)])
  func knownHashes(bytes: [UInt8], hash: UInt64) {
    #expect(XXHash64.hash(bytes) == hash)
  }

  @Test func theSeedCounts() {
    var hash = XXHash64(seed: 2022)
    Self.hundred.withUnsafeBytes { hash.update($0) }
    #expect(hash.value == 0xc507_f37a_4e9f_e419)
  }

  @Test func partsGiveTheHashOfTheWhole() {
    for first in 0...100 {
      for second in [first, min(first + 5, 100), min(first + 40, 100)] {
        var hash = XXHash64()
        for part in [0..<first, first..<second, second..<100] {
          Self.hundred[part].withUnsafeBytes { hash.update($0) }
        }
        #expect(hash.value == XXHash64.hash(Self.hundred), "\(first), \(second)")
      }
    }
  }
}
