import Distributed
import Testing

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct ReplicaCheckMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  @Test func equalHashesPass() throws {
    try communicator.checkIdentical(hash: 42, what: "weights")
  }

  @Test func everyRankLearnsWhoDiffers() throws {
    let last = communicator.size - 1
    let hash: UInt64 = communicator.rank == last ? 1 : 2
    let error = try #require(throws: ReplicaMismatch.self) {
      try communicator.checkIdentical(hash: hash, what: "weights")
    }
    #expect(error.differingRanks == [last])
  }
}
