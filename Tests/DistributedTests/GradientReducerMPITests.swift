import Distributed
import Testing

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct GradientReducerMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  /// Values of `rank` whose sums need rounding, so that the order of additions shows.
  private func gradients(rank: Int, length: Int) -> [Float] {
    (0..<length).map { index in
      let bits = UInt32(truncatingIfNeeded: (index &+ 1) &* (rank &+ 3) &* 0x9e37_79b1)
      return Float(bits >> 8) / Float(1 << 20) - 8
    }
  }

  private func reduce(length: Int, chunkLength: Int) throws -> [Float] {
    var values = gradients(rank: communicator.rank, length: length)
    try values.withUnsafeMutableBufferPointer {
      try GradientReducer(communicator: communicator, chunkLength: chunkLength).reduce($0)
    }
    return values
  }

  @Test(arguments: [(0, 10), (1, 10), (1000, 1000), (100_003, 9_999), (1_000_001, 400_000)])
  func sumsAreRightAndEqualOnAllRanks(length: Int, chunkLength: Int) throws {
    let sums = try reduce(length: length, chunkLength: chunkLength)
    let all = (0..<communicator.size).map { gradients(rank: $0, length: length) }
    let worst = sums.indices.map { index in
      abs(Double(sums[index]) - all.reduce(0) { $0 + Double($1[index]) })
    }.max()
    #expect((worst ?? 0) < 1e-4)
    let hash = sums.withUnsafeBufferPointer { bitHash($0) }
    #expect(throws: Never.self) { try communicator.checkIdentical(hash: hash, what: "sums") }
  }

  @Test func repetitionGivesTheSameBits() throws {
    let first = try reduce(length: 250_000, chunkLength: 60_000)
    for _ in 0..<5 {
      let again = try reduce(length: 250_000, chunkLength: 60_000)
      #expect(again == first)
    }
  }
}
