import Testing

@testable import Distributed

@Suite struct ReplicaCheckTests {
  @Test(arguments: [
    ([7, 7, 8, 7], [2]), ([8, 7, 7], [0]), ([7, 8], [1]), ([1, 2, 3], [1, 2]),
    ([5, 6, 6, 5], [1, 2]),
  ])
  func theMinorityDiffers(hashes: [UInt64], differing: [Int]) {
    #expect(ReplicaMismatch(what: "weights", hashes: hashes).differingRanks == differing)
  }

  @Test func theMessageNamesWhatAndWho() {
    let one = ReplicaMismatch(what: "initial weights", hashes: [7, 7, 0xab]).description
    #expect(one.hasPrefix("initial weights differ between ranks: rank 2 (00000000000000ab) "))
    let two = ReplicaMismatch(what: "weights", hashes: [7, 1, 7, 2, 7]).description
    #expect(two.contains("ranks 1 (0000000000000001), 3 (0000000000000002) against"))
  }
}
