import Distributed
import Testing

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct CommunicatorUnionMPITests {
  /// Also of fewer words than ranks, and of none.
  @Test(arguments: [0, 1, 3, 4, 1001]) func everyBitOfAnyRankIsInIt(_ count: Int) throws {
    let communicator = try Launch.current.communicator()
    func words(_ rank: Int) -> [UInt64] { (0..<count).map { UInt64($0) << 8 | 1 << UInt64(rank) } }
    var own = words(communicator.rank)
    try communicator.unite(&own)
    let expected = (0..<count).map { index in
      (0..<communicator.size).reduce(0) { $0 | words($1)[index] }
    }
    #expect(own == expected)
  }
}
