import Testing

@testable import Tensors

struct PeakSpeedTests {
  @Test func isThatOfAComputerAndLeavesTheThreads() {
    let threads = ThreadPool.threads
    defer { ThreadPool.setThreads(threads) }
    ThreadPool.setThreads(3)
    #expect((1e8..<1e13).contains(PeakSpeed.ofOneThread(seconds: 0.01)))
    #expect(ThreadPool.threads == 3)
  }
}
