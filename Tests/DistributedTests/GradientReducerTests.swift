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

  @Test func aSingleProcessKeepsItsGradients() throws {
    var gradients: [Float] = [1, 2, 3]
    try gradients.withUnsafeMutableBufferPointer {
      try GradientReducer(communicator: SingleProcess()).reduce($0)
    }
    #expect(gradients == [1, 2, 3])
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
  func allGatherParts(_ values: UnsafeMutableBufferPointer<Float>) {}
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, root: Int) {}
  func allGather(_ value: UInt64) -> [UInt64] { [value, value] }
  func allGatherOnNode(_ words: [UInt64]) -> [[UInt64]] { [words, words] }
  func barrier() {}
  func end(status: Int32) -> Never { fatalError("\(status)") }
  func abort(_ message: String, status: Int32) -> Never { fatalError(message) }
}
