import TestSupport
import Testing

@testable import Tensors

struct PeakSpeedTests {
  @Test func isThatOfAComputerAndLeavesTheThreads() {
    withThreads(3) {
      #expect((1e8..<1e13).contains(PeakSpeed.ofOneThread(seconds: 0.01)))
      #expect(ThreadPool.threads == 3)
    }
  }
}
