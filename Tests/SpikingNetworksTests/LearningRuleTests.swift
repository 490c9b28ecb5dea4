import Testing

@testable import SpikingNetworks

struct LearningRuleTests {
  @Test func everyRuleHasItsStepsAndWindow() {
    let (sltt, bptt) = (LearningRule.sltt(timesteps: 5), LearningRule.bptt(timesteps: 5))
    let slttK = LearningRule.slttK(timesteps: 5, k: 2)
    let (ottt, rate) = (LearningRule.ottt(timesteps: 5), LearningRule.rate(timesteps: 5))
    let rules = [sltt, slttK, bptt, ottt, rate]
    #expect(rules.map(\.window) == [1, 1, 5, 1, 1])
    #expect(rules.map(\.keepsTraces) == [false, false, false, true, false])
    #expect(rules.map(\.takesAverages) == [false, false, false, false, true])
    #expect(rules.map(\.isThroughTime) == [false, false, true, false, false])
    let all = [true, true, true, true, true]
    #expect(sltt.recordedTimesteps(seed: 1, iteration: 3) == all)
    #expect(bptt.recordedTimesteps(seed: 1, iteration: 3) == all)
    #expect(ottt.recordedTimesteps(seed: 1, iteration: 3) == all)
    #expect(rate.recordedTimesteps(seed: 1, iteration: 3) == all.map { _ in false })
    #expect(slttK.recordedTimesteps(seed: 1, iteration: 3).count { $0 } == 2)
    #expect(
      LearningRule.slttK(timesteps: 5, k: 5).recordedTimesteps(seed: 1, iteration: 3) == all)
  }

  @Test func stepsMayBeNamed() {
    let rule = LearningRule.sltt(timesteps: 4, recording: [3, 1])
    for iteration in 0..<3 {
      #expect(
        rule.recordedTimesteps(seed: 1, iteration: iteration) == [false, true, false, true])
    }
    #expect(rule.window == 1)
  }

  /// With one time step, time has nothing to add.
  @Test func ofOneStepSLTTAndBPTTAreTheSame() {
    #expect(LearningRule.sltt(timesteps: 1) == .bptt(timesteps: 1))
    #expect(LearningRule.sltt(timesteps: 2) != .bptt(timesteps: 2))
  }

  @Test func drawsKStepsWithoutReplacementAndEvenly() {
    let rule = LearningRule.slttK(timesteps: 6, k: 2)
    let iterations = 6000
    var pairs: [[Int]: Int] = [:]
    for iteration in 0..<iterations {
      let steps = rule.recordedTimesteps(seed: 7, iteration: iteration)
      #expect(steps.count == 6)
      pairs[steps.indices.filter { steps[$0] }, default: 0] += 1
    }
    // 15 pairs of 400 draws on average, standard deviation 19.
    #expect(pairs.count == 15 && pairs.keys.allSatisfy { $0.count == 2 })
    #expect(pairs.values.allSatisfy { abs($0 - iterations / 15) < 100 })
  }

  /// The same draws, without the time steps that train nothing at the end.
  @Test func trailingStepsAreLeftOut() {
    let rule = LearningRule.slttK(timesteps: 6, k: 2)
    let short = LearningRule.slttK(timesteps: 6, k: 2, skipsTrailing: true)
    var lengths: Set<Int> = []
    for iteration in 0..<200 {
      let all = rule.recordedTimesteps(seed: 7, iteration: iteration)
      let some = short.recordedTimesteps(seed: 7, iteration: iteration)
      #expect(some.last == true)
      #expect(some + [Bool](repeating: false, count: 6 - some.count) == all)
      lengths.insert(some.count)
    }
    #expect(lengths == [2, 3, 4, 5, 6])
    #expect(
      LearningRule.slttK(timesteps: 3, k: 3, skipsTrailing: true)
        .recordedTimesteps(seed: 1, iteration: 0).count == 3)
  }

  @Test func drawsAreAFunctionOfSeedAndIteration() {
    let rule = LearningRule.slttK(timesteps: 12, k: 6)
    let draws = (0..<20).map { rule.recordedTimesteps(seed: 1, iteration: $0) }
    #expect(draws == (0..<20).map { rule.recordedTimesteps(seed: 1, iteration: $0) })
    #expect(draws != (0..<20).map { rule.recordedTimesteps(seed: 2, iteration: $0) })
    #expect(Set(draws).count > 15)
  }
}
