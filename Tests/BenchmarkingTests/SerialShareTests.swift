import Testing

@testable import Benchmarking

struct SerialShareTests {
  @Test func tellsWhatThreadsDivideFromWhatTheyDoNot() {
    let share = SerialShare([(1, 10), (2, 6), (4, 4)])
    #expect(abs(share.serial - 2) < 1e-12 && abs(share.divided - 8) < 1e-12)
  }

  @Test func noPartIsNegative() {
    // Faster than threads can make it, and slower with more threads.
    let superlinear = SerialShare([(1, 10), (2, 4)])
    #expect(superlinear.serial == 0 && superlinear.divided == 9.6)
    #expect(SerialShare([(1, 4), (2, 6)]) == SerialShare([(1, 6), (2, 4)].map { ($0.0, 5) }))
  }
}
