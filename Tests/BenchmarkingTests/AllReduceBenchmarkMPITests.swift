import Distributed
import Testing

@testable import Benchmarking

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct AllReduceBenchmarkMPITests {
  @Test func measuresEverySizeAndChunk() throws {
    let communicator = try Launch.current.communicator()
    let report = try AllReduceBenchmark(communicator, rounds: 1)
      .run(counts: [1, 1000], chunkLengths: [10, 100, 2000])
    #expect(report.ranks == communicator.size)
    #expect(report.rows.map(\.bytes) == [4, 4000])
    for row in report.rows {
      #expect(row.chunkedSeconds.count == 3 && row.roundedSeconds.count == 3)
      #expect(([row.plainSeconds] + row.chunkedSeconds + row.roundedSeconds).allSatisfy { $0 > 0 })
    }
  }
}
