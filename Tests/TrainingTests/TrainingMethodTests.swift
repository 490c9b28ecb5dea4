import Testing

@testable import Training

struct TrainingMethodTests {
  @Test func everyMethodHasItsStepsAndWindow() {
    let sltt = TrainingMethod(.sltt, timesteps: 5)
    let bptt = TrainingMethod(.bptt, timesteps: 5)
    let slttK = TrainingMethod(.slttK, timesteps: 5, k: 2)
    #expect([sltt.window, slttK.window, bptt.window] == [1, 1, 5])
    #expect([sltt.trainedCount, slttK.trainedCount, bptt.trainedCount] == [5, 2, 5])
    let all = [true, true, true, true, true]
    #expect(sltt.trainedTimesteps(seed: 1, iteration: 3) == all)
    #expect(bptt.trainedTimesteps(seed: 1, iteration: 3) == all)
    #expect(
      TrainingMethod(.slttK, timesteps: 5, k: 5).trainedTimesteps(seed: 1, iteration: 3) == all)
  }

  @Test func drawsKStepsWithoutReplacementAndEvenly() {
    let method = TrainingMethod(.slttK, timesteps: 6, k: 2)
    let iterations = 6000
    var pairs: [[Int]: Int] = [:]
    for iteration in 0..<iterations {
      let steps = method.trainedTimesteps(seed: 7, iteration: iteration)
      #expect(steps.count == 6)
      pairs[steps.indices.filter { steps[$0] }, default: 0] += 1
    }
    // 15 pairs of 400 draws on average, standard deviation 19.
    #expect(pairs.count == 15 && pairs.keys.allSatisfy { $0.count == 2 })
    #expect(pairs.values.allSatisfy { abs($0 - iterations / 15) < 100 })
  }

  /// The same draws, without the steps that train nothing at the end.
  @Test func trailingStepsAreLeftOut() {
    let method = TrainingMethod(.slttK, timesteps: 6, k: 2)
    let short = TrainingMethod(.slttK, timesteps: 6, k: 2, skipsTrailing: true)
    var lengths: Set<Int> = []
    for iteration in 0..<200 {
      let all = method.trainedTimesteps(seed: 7, iteration: iteration)
      let some = short.trainedTimesteps(seed: 7, iteration: iteration)
      #expect(some.last == true)
      #expect(some + [Bool](repeating: false, count: 6 - some.count) == all)
      lengths.insert(some.count)
    }
    #expect(lengths == [2, 3, 4, 5, 6])
    #expect(
      TrainingMethod(.slttK, timesteps: 3, k: 3, skipsTrailing: true)
        .trainedTimesteps(seed: 1, iteration: 0).count == 3)
  }

  @Test func drawsAreAFunctionOfSeedAndIteration() {
    let method = TrainingMethod(.slttK, timesteps: 12, k: 6)
    let draws = (0..<20).map { method.trainedTimesteps(seed: 1, iteration: $0) }
    #expect(draws == (0..<20).map { method.trainedTimesteps(seed: 1, iteration: $0) })
    #expect(draws != (0..<20).map { method.trainedTimesteps(seed: 2, iteration: $0) })
    #expect(Set(draws).count > 15)
  }
}
