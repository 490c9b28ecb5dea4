import Distributed
import Testing

@testable import HostChecks

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct AllReduceCheckMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  @Test func realSumsAreRight() throws {
    let finding = try AllReduceCheck.finding(communicator) { try communicator.allReduceSum($0) }
    #expect(finding.status == .ok && finding.text.hasPrefix("right sums; 10 MB over "))
  }

  @Test func theRankWithAWrongSumIsNamed() throws {
    let last = communicator.size - 1
    let finding = try AllReduceCheck.finding(communicator) {
      try communicator.allReduceSum($0)
      if communicator.rank == last { $0[7] += 1 }
    }
    #expect(finding.status == .failed && finding.text == "wrong sums on ranks \(last)")
  }
}
