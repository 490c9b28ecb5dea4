import Distributed
import Testing

@testable import HostChecks

struct AllReduceCheckTests {
  @Test func aWrongSumFails() throws {
    let wrong = try AllReduceCheck.finding(SingleProcess()) { $0[2_499_999] += 1 }
    #expect(wrong.status == .failed && wrong.text == "wrong sums on ranks 0")
    #expect(try AllReduceCheck.finding(SingleProcess()) { _ in }.status == .ok)
  }
}
