import TestSupport
import Testing

@testable import Tensors

struct ParallelForTests {
  @Test(arguments: [0, 1, 2, 7, 100], [1, 2, 3]) func everyItemIsVisitedOnce(
    _ count: Int, _ threads: Int
  ) {
    withThreads(threads) {
      var visits = [Int](repeating: 0, count: count)
      visits.withUnsafeMutableBufferPointer { visits in
        let base = visits.baseAddress
        parallelFor(count) { _, part in for item in part { base![item] += 1 } }
      }
      #expect(visits.allSatisfy { $0 == 1 })
      #expect(
        parallelSum(count) { _, part in Double(part.reduce(0, +)) }
          == Double(count * (count - 1) / 2))
    }
  }

  @Test func fewItemsAreNotSplit() {
    withThreads(3) {
      #expect(ThreadPool.threads == 3)
      #expect(parallelParts(100) == 3)
      #expect(parallelParts(19, grain: 10) == 1)
      #expect(parallelParts(29, grain: 10) == 2)
      #expect(parallelParts(0) == 1)
    }
  }
}
