import Distributed
import Synchronization
import Testing

@Suite struct GradientReducerTests {
  @Test(arguments: [(0, []), (1, [1]), (7, [4, 3]), (8, [4, 4]), (9, [4, 4, 1])])
  func chunksCoverTheBufferInOrder(length: Int, chunks: [Int]) throws {
    let communicator = TwoEqualRanks()
    var gradients = (0..<length).map { Float($0) }
    try gradients.withUnsafeMutableBufferPointer {
      try GradientReducer(communicator: communicator, chunkLength: 4).reduce($0)
    }
    #expect(gradients == (0..<length).map { Float(2 * $0) })
    #expect(communicator.reducedLengths.withLock { $0 } == chunks)
  }

  @Test func chunksInBFloat16AreRoundedOnBothWays() throws {
    let communicator = TwoEqualRanks()
    var gradients: [Float] = [1 + 1 / 512, 1 + 3 / 512, -5, 0, 0.1]
    try gradients.withUnsafeMutableBufferPointer {
      try GradientReducer(communicator: communicator, chunkLength: 3, wire: .bfloat16)
        .reduce($0)
    }
    // The second half of a chunk is the other rank's.
    #expect(gradients[0] == 2 && gradients[1] == 2 + 4 / 256)
    #expect(communicator.reducedLengths.withLock { $0 }.isEmpty)
  }

  @Test(arguments: WireFormat.allCases)
  func aSingleProcessKeepsItsGradients(wire: WireFormat) throws {
    var gradients: [Float] = [1, 2, 0.3]
    try gradients.withUnsafeMutableBufferPointer {
      try GradientReducer(communicator: SingleProcess(), wire: wire).reduce($0)
    }
    #expect(gradients == [1, 2, 0.3])
  }
}

/// Rank 0 of two whose values are always the same.
private final class TwoEqualRanks: Communicator {
  let rank = 0
  let size = 2
  let localRank = 0
  let localSize = 2
  let hostName = "test"
  let reducedLengths = Mutex<[Int]>([])

  func allReduceSum(_ values: UnsafeMutableBufferPointer<Float>) {
    reducedLengths.withLock { $0.append(values.count) }
    for index in values.indices { values[index] *= 2 }
  }
  func reduceScatterSum(
    _ values: UnsafeBufferPointer<Float>, into own: UnsafeMutableBufferPointer<Float>
  ) {
    for index in own.indices { own[index] = 2 * values[index] }
  }
  func exchangeParts(
    _ bytes: UnsafeRawBufferPointer, into received: UnsafeMutableRawBufferPointer
  ) {
    // Both halves come from ranks that send what this one keeps.
    let half = bytes.count / 2
    for index in 0..<bytes.count { received[index] = bytes[index % half] }
  }
  func allGatherParts(_ bytes: UnsafeMutableRawBufferPointer) {}
  func gatherOnRoot(
    _ own: UnsafeBufferPointer<Float>, counts: [Int], into all: UnsafeMutableBufferPointer<Float>?
  ) {}
  func scatterFromRoot(
    _ all: UnsafeBufferPointer<Float>?, counts: [Int], into own: UnsafeMutableBufferPointer<Float>
  ) {}
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, root: Int) {}
  func allGather(_ value: UInt64) -> [UInt64] { [value, value] }
  func allGatherOnNode(_ words: [UInt64]) -> [[UInt64]] { [words, words] }
  func barrier() {}
  func end(status: Int32) -> Never { fatalError("\(status)") }
  func abort(_ message: String, status: Int32) -> Never { fatalError(message) }
}
