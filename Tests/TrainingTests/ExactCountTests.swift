import Distributed
import Testing

@testable import Training

struct ExactCountTests {
  @Test func aloneCountsStay() throws {
    let counts = [0, 1, 1 << 24 + 1, 1 << 46 + 1]
    #expect(try SingleProcess().sum(counts) == counts)
  }
}

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct ExactCountMPITests {
  let communicator: any Communicator

  init() throws { communicator = try Launch.current.communicator() }

  /// Also where they are no longer exact as floats.
  @Test func countsAddUpExactly() throws {
    let (rank, size) = (communicator.rank, communicator.size)
    let sums = try communicator.sum([rank, 1 << 24 + rank, (1 << 40 + 1) * (rank + 1), 0])
    let ranks = size * (size - 1) / 2
    #expect(sums == [ranks, size << 24 + ranks, (1 << 40 + 1) * (ranks + size), 0])
  }
}
