import Testing

@testable import Datasets

struct SamplerTests {
  private func plan(
    count: Int = 103, globalBatch: Int = 10, rank: Int = 0, of ranks: Int = 1,
    order: Sampler.Order = .shuffled(seed: 7), epoch: Int = 0
  ) -> EpochPlan {
    Sampler(
      sampleCount: count, globalBatch: globalBatch, rank: rank, rankCount: ranks, order: order
    ).plan(epoch: epoch)
  }

  @Test("The ranks' parts in turn are the order of one rank", arguments: [2, 3, 4, 8, 13])
  func orderDoesNotDependOnTheNumberOfRanks(ranks: Int) {
    for order in [Sampler.Order.sequential, .shuffled(seed: 7)] {
      let alone = plan(order: order, epoch: 2)
      let together = (0..<ranks).map { plan(rank: $0, of: ranks, order: order, epoch: 2) }
      #expect(alone.iterations == 11)
      for iteration in 0..<11 {
        let whole = alone.part(iteration: iteration)
        var joined: [Int32] = []
        for rank in together {
          let part = rank.part(iteration: iteration)
          #expect(part.offset == joined.count)
          #expect(part.globalCount == whole.count)
          joined += part.samples
        }
        #expect(joined == Array(whole.samples))
      }
    }
  }

  @Test func everySampleComesOnceAnEpoch() {
    for epoch in 0..<3 {
      let plan = plan(epoch: epoch)
      let samples = (0..<plan.iterations).flatMap { Array(plan.part(iteration: $0).samples) }
      #expect(samples.sorted() == Array(0..<103))
    }
  }

  @Test("Without its last, smaller batch an epoch leaves out some samples", arguments: [1, 2, 3])
  func theLastBatchIsLeftOut(ranks: Int) {
    var leftOut: Set<Set<Int32>> = []
    for epoch in 0..<4 {
      let plans = (0..<ranks).map {
        Sampler(
          sampleCount: 103, globalBatch: 10, rank: $0, rankCount: ranks, order: .shuffled(seed: 7),
          dropsLast: true
        ).plan(epoch: epoch)
      }
      #expect(plans[0].iterations == 10 && plans[0].sampler.remainder == 3)
      let whole = plan(epoch: epoch)
      for iteration in 0..<10 {
        let parts = plans.map { $0.part(iteration: iteration) }
        #expect(parts.flatMap(\.samples) == Array(whole.part(iteration: iteration).samples))
        #expect(parts.allSatisfy { $0.globalCount == 10 })
      }
      leftOut.insert(Set(whole.part(iteration: 10).samples))
    }
    #expect(leftOut.count == 4)
  }

  @Test("A part is spread over all samples, alike for any ranks", arguments: [1, 2, 3, 8])
  func aPart(ranks: Int) {
    func samples(_ part: Int) -> [Int32] {
      let plans = (0..<ranks).map {
        Sampler(
          sampleCount: 103, part: part, globalBatch: 10, rank: $0, rankCount: ranks,
          order: .sequential
        ).plan(epoch: 3)
      }
      #expect(plans[0].iterations == (min(part, 103) + 9) / 10)
      return (0..<plans[0].iterations).flatMap { iteration in
        plans.flatMap { Array($0.part(iteration: iteration).samples) }
      }
    }
    #expect(samples(4) == [0, 25, 51, 77])
    #expect(samples(1) == [0] && samples(103) == Array(0..<103) && samples(500) == samples(103))
    let gaps = zip(samples(40), samples(40).dropFirst()).map { $1 - $0 }
    #expect(samples(40).count == 40 && Set(gaps) == [2, 3])
  }

  @Test func sequentialOrderIsTheDataSets() {
    let plan = plan(order: .sequential)
    let samples = (0..<plan.iterations).flatMap { Array(plan.part(iteration: $0).samples) }
    #expect(samples == Array(0..<103))
  }

  @Test func ordersDifferByEpochAndSeedOnly() {
    #expect(plan(epoch: 1).samples == plan(epoch: 1).samples)
    #expect(plan(epoch: 1).samples != plan(epoch: 2).samples)
    #expect(plan(order: .shuffled(seed: 8)).samples != plan().samples)
    #expect(plan(globalBatch: 50, rank: 1, of: 2).samples == plan().samples)
  }

  @Test func everyPermutationOfFewSamplesIsAboutEquallyOften() {
    var counts: [[Int32]: Int] = [:]
    for epoch in 0..<6000 { counts[plan(count: 3, epoch: epoch).samples, default: 0] += 1 }
    #expect(counts.count == 6)
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 150 })
  }

  @Test func aRankMayHaveNothingInAShortBatch() {
    let counts = (0..<8).map { plan(rank: $0, of: 8).part(iteration: 10).count }
    #expect(counts.reduce(0, +) == 3)
    #expect(counts.contains(0))
  }

  @Test(arguments: [(103, 10, 3), (5, 10, 3), (7, 2, 8)])
  func theLargestBatchBoundsAll(count: Int, globalBatch: Int, ranks: Int) {
    for rank in 0..<ranks {
      let sampler = Sampler(
        sampleCount: count, globalBatch: globalBatch, rank: rank, rankCount: ranks,
        order: .sequential)
      let plan = sampler.plan(epoch: 0)
      for iteration in 0..<plan.iterations {
        #expect(plan.part(iteration: iteration).count <= sampler.largestBatch)
      }
    }
  }
}
