import Distributed
import Testing

@Suite struct SingleProcessTests {
  let communicator = SingleProcess()

  @Test func isTheOnlyRank() {
    #expect(communicator.rank == 0)
    #expect(communicator.size == 1)
    #expect(communicator.localRank == 0)
    #expect(communicator.localSize == 1)
    #expect(communicator.isRoot)
    #expect(!communicator.hostName.isEmpty)
  }

  @Test func collectivesReturnItsOwnValues() throws {
    var values: [Float] = [1, -2, 3.5]
    values.withUnsafeMutableBufferPointer { communicator.allReduceSum($0) }
    #expect(values == [1, -2, 3.5])
    #expect(communicator.allGather(7) == [7])
    #expect(communicator.allGatherOnNode([1, 2]) == [[1, 2]])
    #expect(try communicator.broadcast("größe", root: 0) == "größe")
    #expect(try communicator.broadcast([UInt8](), root: 0) == [])
  }
}
