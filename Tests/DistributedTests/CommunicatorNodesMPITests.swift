import Distributed
import Testing

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct CommunicatorNodesMPITests {
  @Test func theRanksOfAMachineAreOnOneNode() throws {
    let communicator = try Launch.current.communicator()
    #expect(try communicator.nodes() == Array(repeating: 0, count: communicator.size))
  }
}
