import Distributed
import Tensors
import Testing

@testable import Training

struct RankReportsTests {
  /// The tail after an all-reduce: the sum of what each rank wrote.
  private func reduced(_ reports: [RankReports.Report]) -> RankReports {
    let count = RankReports.count(ranks: reports.count)
    let sum = FlatBuffer(count: count)
    for (rank, report) in reports.enumerated() {
      let own = FlatBuffer(count: count)
      RankReports.write(report, rank: rank, to: own.all)
      sum.all.assign(zip(sum.all.elements, own.all.elements).map { $0 + $1 })
    }
    return RankReports(from: sum.all)
  }

  @Test func everyRankIsHeard() {
    let hashes: [UInt64] = [0, .max, 0x0123_4567_89ab_cdef]
    let all = reduced(hashes.map { RankReports.Report(weightHash: $0) })
    #expect(all.reports.map(\.weightHash) == hashes)
    #expect(!all.wantStop && !all.wantCheckpoint && all.nonFinite == nil)
    let some = reduced([
      .init(), .init(wantsCheckpoint: true, nonFinite: .gradient(parameter: 0)),
      .init(wantsStop: true, nonFinite: .loss),
    ])
    #expect(some.wantStop && some.wantCheckpoint)
    #expect(some.nonFinite?.rank == 1 && some.nonFinite?.what == .gradient(parameter: 0))
    #expect(some.reports[2].nonFinite == .loss && some.reports[0].weightHash == nil)
  }

  @Test func namesTheRankThatDiffers() throws {
    try reduced([.init(), .init()]).checkReplicas("weights")
    try reduced([.init(weightHash: 5), .init(weightHash: 5)]).checkReplicas("weights")
    let error = #expect(throws: ReplicaMismatch.self) {
      try reduced([5, 5, 5 ^ 1 << 63].map { .init(weightHash: $0) }).checkReplicas("weights")
    }
    #expect(error?.differingRanks == [2])
  }
}
