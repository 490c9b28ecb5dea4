import Testing

@testable import Tensors

struct BlockPlanTests {
  /// Blocks of some lines each, by their numbers: in use from the first mention to the second.
  private func trace(_ sizes: [Int], _ mentions: [Int]) -> BlockTrace {
    var trace = BlockTrace()
    var inUse: Set<Int> = []
    for block in mentions {
      if inUse.insert(block).inserted {
        trace.addAllocation(at: 1000 + block, size: 64 * sizes[block])
      } else {
        trace.addRelease(at: 1000 + block)
      }
    }
    return trace
  }

  @Test func blocksOfDifferentTimesShareAPlace() {
    var plan = BlockPlan(for: trace([2, 1, 3], [0, 1, 0, 2, 1, 2]))
    #expect(plan.bytes == 4 * 64)
    #expect([2, 1, 3].map { plan.place(ofNext: 64 * $0) } == [0, 192, 0])
    #expect(plan.place(ofNext: 64) == nil)
    plan.restart()
    #expect(plan.place(ofNext: 128) == 0)
  }

  @Test func whatIsNotReleasedLastsUntilTheEnd() {
    let plan = BlockPlan(for: trace([1, 1, 1], [0, 1, 1, 2, 2]))
    #expect(plan.bytes == 2 * 64)
  }

  @Test func releasesOfOlderBlocksDoNotMatter() {
    var trace = trace([1, 2], [0, 1])
    trace.addRelease(at: 5)
    #expect(trace.requests.map(\.lifetime) == [0..<Int.max, 1..<Int.max])
  }

  @Test func skipsWhatIsNoLongerAskedForAndLeavesOutWhatIsNew() {
    var plan = BlockPlan(for: trace([4, 3, 2, 1], [0, 1, 2, 3]))
    #expect(plan.place(ofNext: 4 * 64) == 0)
    #expect(plan.place(ofNext: 5 * 64) == nil)
    #expect(plan.place(ofNext: 2 * 64) == 7 * 64)
    #expect(plan.place(ofNext: 3 * 64) == nil)
    #expect(plan.place(ofNext: 64) == 9 * 64)
  }

  /// Over random traces: no two blocks in use at once overlap, and the plan takes little more than the
  /// most in use.
  @Test func plansAreSoundAndTight() {
    for seed in 0..<5 {
      var random = RandomStream(seed: UInt64(seed), purpose: .augmentation)
      var trace = BlockTrace()
      var (held, used, most): ([(Int, Int)], Int, Int) = ([], 0, 0)
      for number in 0..<300 {
        if held.count > 12 || !held.isEmpty && random.uniform() < 0.4 {
          let (block, size) = held.remove(at: random.uniform(below: held.count))
          trace.addRelease(at: block)
          used -= size
        } else {
          let size = 64 << random.uniform(below: 8)
          trace.addAllocation(at: number, size: size)
          held.append((number, size))
          used += size
          most = max(most, used)
        }
      }
      var plan = BlockPlan(for: trace)
      let requests = trace.requests
      let places = requests.map { request -> Range<Int> in
        let offset = plan.place(ofNext: request.size)!
        return offset..<offset + request.size
      }
      for (index, request) in requests.enumerated() {
        for other in 0..<index where requests[other].lifetime.overlaps(request.lifetime) {
          #expect(!places[other].overlaps(places[index]))
        }
      }
      #expect(plan.bytes == places.map(\.upperBound).max())
      #expect(plan.bytes >= most && Double(plan.bytes) < 1.15 * Double(most))
    }
  }
}
