import Testing

@testable import Datasets

struct ShardLocalityTests {
  private static let shardSizes = [10, 7, 0, 12, 10, 3, 9, 10, 11, 8]  // 80 samples

  private static let layouts = [
    [0], [0, 0, 0], [0, 1], [0, 0, 1, 1], [0, 0, 0, 3, 3], [0, 1, 0, 1], [0, 1, 2],
    Array(0..<13),
  ]

  private func samplers(
    _ nodes: [Int], globalBatch: Int = 8, order: Sampler.Order = .shuffled(seed: 5)
  ) -> [Sampler] {
    let locality = ShardLocality(shardSizes: Self.shardSizes, nodes: nodes)
    return nodes.indices.map {
      Sampler(
        sampleCount: 80, globalBatch: globalBatch, rank: $0, rankCount: nodes.count,
        order: order, locality: locality)
    }
  }

  private func samples(_ sampler: Sampler, epoch: Int) -> [Int32] {
    let plan = sampler.plan(epoch: epoch)
    return (0..<plan.iterations).flatMap { Array(plan.part(iteration: $0).samples) }
  }

  private func shard(of sample: Int32) -> Int {
    var start = 0
    for (shard, size) in Self.shardSizes.enumerated() {
      start += size
      if sample < start { return shard }
    }
    preconditionFailure()
  }

  @Test("Every sample comes once an epoch, to ranks that have equally many", arguments: layouts)
  func epochs(nodes: [Int]) {
    for order in [Sampler.Order.sequential, .shuffled(seed: 5)] {
      for epoch in 0..<3 {
        let all = samplers(nodes, order: order).map { samples($0, epoch: epoch) }
        #expect(all.flatMap(\.self).sorted() == Array(0..<80))
        #expect(all.allSatisfy { [80 / nodes.count, 80 / nodes.count + 1].contains($0.count) })
      }
    }
  }

  @Test("A part has samples of the ranks' own shards only", arguments: layouts)
  func part(nodes: [Int]) {
    let locality = ShardLocality(shardSizes: Self.shardSizes, nodes: nodes)
    for part in [1, 13, 30, 79] {
      let plans = nodes.indices.map {
        Sampler(
          sampleCount: 80, part: part, globalBatch: 8, rank: $0, rankCount: nodes.count,
          order: .sequential, locality: locality
        ).plan(epoch: 0)
      }
      let all = plans.map { plan in
        (0..<plan.iterations).flatMap { Array(plan.part(iteration: $0).samples) }
      }
      #expect(Set(all.flatMap(\.self)).count == part && all.flatMap(\.self).count == part)
      for (rank, samples) in all.enumerated() {
        let own = Set(locality.samples(ofRank: rank, epoch: 0, order: .sequential))
        #expect(own.isSuperset(of: samples))
      }
    }
  }

  @Test("Iterations are as large as without, and parts fit together", arguments: layouts)
  func iterations(nodes: [Int]) {
    for globalBatch in [1, 7, 8, 30, 100] {
      let samplers = samplers(nodes, globalBatch: globalBatch)
      let plans = samplers.map { $0.plan(epoch: 1) }
      for iteration in 0..<plans[0].iterations {
        let expected = min(globalBatch, 80 - iteration * globalBatch)
        var offset = 0
        for (sampler, plan) in zip(samplers, plans) {
          let part = plan.part(iteration: iteration)
          #expect(part.globalCount == expected)
          #expect(part.offset == offset)
          #expect(part.count <= sampler.largestBatch)
          offset += part.count
        }
        #expect(offset == expected)
      }
    }
  }

  @Test("Ranks read only shards of their node, the same in all epochs", arguments: layouts)
  func nodesReadTheirShards(nodes: [Int]) {
    let locality = ShardLocality(shardSizes: Self.shardSizes, nodes: nodes)
    for (rank, sampler) in samplers(nodes).enumerated() {
      let allowed = Set(locality.shards(onNode: nodes[rank]))
      for epoch in 0..<4 {
        #expect(Set(samples(sampler, epoch: epoch).map(shard)).isSubset(of: allowed))
      }
    }
    let staged = Set(nodes).flatMap { locality.shards(onNode: $0) }
    #expect(staged.count <= 9 + Set(nodes).count - 1, "at most the border shards twice")
  }

  @Test func ranksOfANodeReadWholeShardsButForTheBorders() {
    let shardsRead = samplers([0, 0, 0]).map { Set(samples($0, epoch: 2).map(shard)).count }
    #expect(shardsRead.reduce(0, +) <= 9 + 2)
  }

  @Test func ordersAreDeterminedBySeedEpochAndLayout() {
    let order = { (sampler: Sampler, epoch: Int) in self.samples(sampler, epoch: epoch) }
    let sampler = samplers([0, 0])[1]
    #expect(order(sampler, 1) == order(samplers([0, 0])[1], 1))
    #expect(order(sampler, 1) != order(sampler, 2))
    #expect(Set(order(sampler, 1)) != Set(order(sampler, 2)), "shards go to other ranks")
    #expect(order(sampler, 1) != order(samplers([0, 0], order: .shuffled(seed: 6))[1], 1))
    #expect(order(sampler, 1) != order(sampler, 1).sorted())
  }

  @Test func aSequentialOrderIsThatOfTheShards() {
    let parts = samplers([0, 0, 1], order: .sequential).map { samples($0, epoch: 0) }
    #expect(parts.flatMap(\.self) == Array(0..<80))
  }
}
