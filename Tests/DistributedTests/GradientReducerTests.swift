import Distributed
import Synchronization
import TestSupport
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

  /// How sums are rounded on their way back is tested on ranks, whose values differ.
  @Test func chunksInBFloat16AreRoundedOnTheirWay() throws {
    let communicator = TwoEqualRanks()
    var gradients: [Float] = [1 + 1 / 512, 1 + 3 / 512, -5, 0, 0.1]
    try gradients.withUnsafeMutableBufferPointer {
      try GradientReducer(communicator: communicator, chunkLength: 3, wire: .bfloat16)
        .reduce($0)
    }
    // The second half of a chunk is the other rank's, which here does not send its sums: -5 and 0.1
    // are what this rank sent.
    #expect(gradients == [2, 2 + 4 / 256, -5, 0, Float(bitPattern: 0x3DCD_0000)])
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
