import Testing

@testable import Tensors

struct RandomStreamTests {
  /// From `kat_vectors` of the Random123 library, "philox4x32 10".
  @Test(
    arguments: [
      ([0, 0, 0, 0], [0, 0], [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
      (
        [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], [0xFFFF_FFFF, 0xFFFF_FFFF],
        [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]
      ),
      (
        [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344], [0xA409_3822, 0x299F_31D0],
        [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]
      ),
    ] as [([UInt32], [UInt32], [UInt32])])
  func philoxHasTheKnownAnswers(_ counter: [UInt32], _ key: [UInt32], _ answer: [UInt32]) {
    #expect(RandomStream.philox(SIMD4(counter), SIMD2(key)) == SIMD4(answer))
  }

  @Test func everyIndexHasAStreamOfItsOwn() {
    var first = Set<UInt32>()
    for index in [5, 5 + 1 << 31, 5 + 1 << 32, 5 + 1 << 55] {
      var stream = RandomStream(seed: 1, purpose: .dropout, index: index)
      #expect(first.insert(stream.nextBits()).inserted)
    }
  }

  @Test func aStreamIsTheBlocksOfItsCounters() {
    var stream = RandomStream(seed: 0x1234_5678_9ABC_DEF0, purpose: .dropout, time: 7, index: 9)
    let key: SIMD2<UInt32> = [0x9ABC_DEF0, 0x1234_5678]
    for block in UInt32(0)..<3 {
      let expected = RandomStream.philox([block, 9, 7, RandomPurpose.dropout.rawValue], key)
      for lane in 0..<4 { #expect(stream.nextBits() == expected[lane]) }
    }
  }

  @Test func streamsOfDifferentArgumentsShareNothing() {
    let streams = [
      RandomStream(seed: 1, purpose: .dropout), RandomStream(seed: 2, purpose: .dropout),
      RandomStream(seed: 1 << 32 | 1, purpose: .dropout),
      RandomStream(seed: 1, purpose: .augmentation),
      RandomStream(seed: 1, purpose: .dropout, time: 1),
      RandomStream(seed: 1, purpose: .dropout, index: 1),
    ]
    var seen: Set<UInt64> = []
    for var stream in streams {
      for _ in 0..<1000 { #expect(seen.insert(stream.next()).inserted) }
    }
  }

  @Test func streamsAreUncorrelated() {
    var (a, b) = (
      RandomStream(seed: 1, purpose: .dropout, index: 0),
      RandomStream(seed: 1, purpose: .dropout, index: 1)
    )
    let count = 100_000
    var sum: Float = 0
    for _ in 0..<count { sum += (a.uniform() - 0.5) * (b.uniform() - 0.5) }
    // Standard deviation of the correlation: 1 / sqrt(count) = 0.003.
    #expect(abs(sum / Float(count) * 12) < 0.015)
  }

  @Test func uniformNumbersFillTheirRangeEvenly() {
    var stream = RandomStream(seed: 3, purpose: .augmentation)
    var counts = [Int](repeating: 0, count: 20)
    for _ in 0..<100_000 {
      let number = stream.uniform()
      #expect(number >= 0 && number < 1)
      counts[Int(number * 20)] += 1
    }
    #expect(chiSquare(counts) < 50)
  }

  @Test func boundedNumbersAreUnbiased() {
    var stream = RandomStream(seed: 3, purpose: .augmentation)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[stream.uniform(below: 7)] += 1 }
    #expect(chiSquare(counts) < 30)
  }

  /// Distance from even counts; about their number, more than twice that being unlikely.
  private func chiSquare(_ counts: [Int]) -> Double {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }
}
