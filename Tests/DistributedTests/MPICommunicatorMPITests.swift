import Testing

@testable import Distributed

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct MPICommunicatorMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  @Test func ranksKnowTheirPlaces() throws {
    let ranks = try communicator.allGather(UInt64(communicator.rank))
    #expect(ranks == (0..<UInt64(communicator.size)).map { $0 })
    let localRanks = try communicator.allGatherOnNode([UInt64(communicator.localRank), 7])
    #expect(localRanks == (0..<UInt64(communicator.localSize)).map { [$0, 7] })
  }

  @Test func allReduceSumAddsAllRanks() throws {
    let rank = Float(communicator.rank)
    let size = Float(communicator.size)
    var values = [rank, 1, -2 * rank, 0.25]
    try values.withUnsafeMutableBufferPointer { try communicator.allReduceSum($0) }
    let sumOfRanks = size * (size - 1) / 2
    #expect(values == [sumOfRanks, size, -2 * sumOfRanks, size / 4])
  }

  @Test func whatHoldsOnOneRankIsKnownToAll() throws {
    for rank in 0..<communicator.size {
      #expect(try communicator.isAny(communicator.rank == rank))
    }
    #expect(try !communicator.isAny(false))
    #expect(communicator.supportsThreads)
  }

  @Test func partsOfSumsReachTheirRanksAndAllOfThemEveryone() throws {
    let (rank, size) = (communicator.rank, communicator.size)
    let values = (0..<3 * size).map { Float($0 * (rank + 1)) }
    var own = [Float](repeating: 0, count: 3)
    try values.withUnsafeBufferPointer { values in
      try own.withUnsafeMutableBufferPointer { try communicator.reduceScatterSum(values, into: $0) }
    }
    let factor = size * (size + 1) / 2
    #expect(own == (3 * rank..<3 * rank + 3).map { Float($0 * factor) })
    var all = [Float](repeating: -1, count: 3 * size)
    all.replaceSubrange(3 * rank..<3 * rank + 3, with: own)
    try all.withUnsafeMutableBytes { try communicator.allGatherParts($0) }
    #expect(all == (0..<3 * size).map { Float($0 * factor) })
  }

  @Test func everyRankGetsItsPartFromEveryRank() throws {
    let (rank, size) = (communicator.rank, communicator.size)
    let sent = (0..<3 * size).map { UInt16(100 * rank + $0) }
    var received = [UInt16](repeating: 0, count: 3 * size)
    try sent.withUnsafeBytes { sent in
      try received.withUnsafeMutableBytes { try communicator.exchangeParts(sent, into: $0) }
    }
    let expected = (0..<size).flatMap { from in
      (3 * rank..<3 * rank + 3).map { UInt16(100 * from + $0) }
    }
    #expect(received == expected)
  }

  /// Rank r has r floats, so that the first has none.
  @Test func unevenPartsGoToTheFirstRankAndBack() throws {
    let (rank, size) = (communicator.rank, communicator.size)
    let counts = Array(0..<size)
    let own = (0..<rank).map { Float(10 * rank + $0) }
    let expected = (0..<size).flatMap { rank in (0..<rank).map { Float(10 * rank + $0) } }
    var all = [Float](repeating: -1, count: expected.count)
    try own.withUnsafeBufferPointer { own in
      try all.withUnsafeMutableBufferPointer {
        try communicator.gatherOnRoot(own, counts: counts, into: communicator.isRoot ? $0 : nil)
      }
    }
    #expect(!communicator.isRoot || all == expected)
    var received = [Float](repeating: -1, count: rank)
    try all.withUnsafeBufferPointer { all in
      try received.withUnsafeMutableBufferPointer {
        try communicator.scatterFromRoot(
          communicator.isRoot ? all : nil, counts: counts, into: $0)
      }
    }
    #expect(received == own)
  }

  @Test func broadcastReachesRanksThatDoNotKnowTheLength() throws {
    for root in 0..<communicator.size {
      let own = communicator.rank == root ? "von Rang \(root) für alle" : "x"
      #expect(try communicator.broadcast(own, root: root) == "von Rang \(root) für alle")
      #expect(try communicator.broadcast([UInt8](), root: root) == [])
    }
  }

  @Test func textsAreGatheredInRankOrder() throws {
    let texts = try communicator.allGather(String(repeating: "é", count: communicator.rank))
    #expect(texts == (0..<communicator.size).map { String(repeating: "é", count: $0) })
  }

  @Test func aFailedCallThrowsMPIsOwnWords() throws {
    let error = try #require(throws: MPIError.self) {
      try communicator.broadcast([1, 2, 3], root: communicator.size)
    }
    #expect(error.function == "MPI_Bcast")
    #expect("\(error)".lowercased().contains("invalid root"))
  }
}
