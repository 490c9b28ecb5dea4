import Distributed
import Foundation
import Testing

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct ProcessorBudgetMPITests {
  @Test func theRanksTogetherDoNotOversubscribeTheNode() throws {
    let communicator = try Launch.current.communicator()
    let threads = try ProcessorBudget.threads(communicator)
    let all = try communicator.allGatherOnNode([UInt64(threads)]).map { Int($0[0]) }
    let cores = ProcessInfo.processInfo.processorCount
    #expect(threads >= 1)
    #expect(all.reduce(0, +) <= max(cores, communicator.localSize))
  }
}
