import Distributed
import Support
import TestSupport
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

  private func reduce(
    length: Int, chunkLength: Int, wire: WireFormat = .float32
  ) throws -> [Float] {
    var values = gradients(rank: communicator.rank, length: length)
    try values.withUnsafeMutableBufferPointer {
      try GradientReducer(communicator: communicator, chunkLength: chunkLength, wire: wire)
        .reduce($0)
    }
    return values
  }

  @Test(arguments: [(0, 10), (1, 10), (1000, 1000), (100_003, 9_999), (1_000_001, 400_000)])
  func sumsAreRightAndEqualOnAllRanks(length: Int, chunkLength: Int) throws {
    let sums = try reduce(length: length, chunkLength: chunkLength)
    let all = (0..<communicator.size).map { gradients(rank: $0, length: length) }
    let expected = (0..<length).map { index in all.reduce(0) { $0 + Double($1[index]) } }
    #expect(largestDifference(sums.map { Double($0) }, expected) < 1e-4)
    let hash = sums.withUnsafeBytes { XXHash64.hash($0) }
    #expect(throws: Never.self) { try communicator.checkIdentical(hash: hash, what: "sums") }
  }

  private func rounded(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
  }

  /// The sum in float32, in the order of the ranks, of what they have rounded.
  private func sumOfRounded(length: Int) -> [Float] {
    let all = (0..<communicator.size).map { gradients(rank: $0, length: length).map(rounded) }
    return (0..<length).map { index in
      all.dropFirst().reduce(all[0][index]) { $0 + $1[index] }
    }
  }

  /// Lengths that do not divide by the ranks, fewer numbers than ranks, and chunks of any length: the
  /// bits are always those of one rounding on each way.
  @Test(arguments: [
    (0, 10), (1, 10), (7, 1), (1000, 1000), (100_003, 9_999), (1_000_001, 400_000),
  ])
  func sumsInBFloat16AreRoundedOnceOnEachWay(length: Int, chunkLength: Int) throws {
    let sums = try reduce(length: length, chunkLength: chunkLength, wire: .bfloat16)
    let expected =
      communicator.size == 1
      ? gradients(rank: 0, length: length) : sumOfRounded(length: length).map(rounded)
    #expect(sums == expected)
    let hash = sums.withUnsafeBytes { XXHash64.hash($0) }
    #expect(throws: Never.self) { try communicator.checkIdentical(hash: hash, what: "sums") }
  }

  @Test(arguments: WireFormat.allCases) func partsOfSumsReachTheirRanks(wire: WireFormat) throws {
    let (part, size) = (1001, communicator.size)
    let reducer = GradientReducer(
      communicator: communicator, chunkLength: part * size, wire: wire)
    let values = gradients(rank: communicator.rank, length: part * size)
    var own = [Float](repeating: .nan, count: part)
    try values.withUnsafeBufferPointer { values in
      try own.withUnsafeMutableBufferPointer { try reducer.reduceScatter(values, into: $0) }
    }
    let mine = communicator.rank * part..<(communicator.rank + 1) * part
    if wire == .bfloat16 && size > 1 {
      #expect(own == Array(sumOfRounded(length: part * size)[mine]))
    } else {
      let all = (0..<size).map { gradients(rank: $0, length: part * size) }
      for (value, index) in zip(own, mine) {
        #expect(abs(Double(value) - all.reduce(0) { $0 + Double($1[index]) }) < 1e-4)
      }
    }
  }

  @Test func repetitionGivesTheSameBits() throws {
    let first = try reduce(length: 250_000, chunkLength: 60_000)
    for _ in 0..<5 {
      let again = try reduce(length: 250_000, chunkLength: 60_000)
      #expect(again == first)
    }
  }
}
