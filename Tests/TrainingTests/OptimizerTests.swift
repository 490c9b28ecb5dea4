import Foundation
import Tensors
import TestSupport
import Testing

@testable import Training

/// The optimizers against the update rules of PyTorch's documentation, one number at a time in double
/// precision.
struct OptimizerTests {
  /// Enough for several threads to take part.
  static let count = 40_000

  private static func floats(seed: Int) -> [Float] {
    var random = RandomStream(seed: UInt64(seed), purpose: .augmentation)
    return (0..<count).map { _ in 2 * random.uniform() - 1 }
  }

  /// Runs six updates with learning rates that change, and compares after each.
  private func compare(
    _ optimizer: any ParameterOptimizer,
    _ rule: (_ w: inout Double, _ g: Double, _ rate: Double, _ index: Int, _ step: Int) -> Void
  ) {
    let (weights, gradients) = (FlatBuffer(count: Self.count), FlatBuffer(count: Self.count))
    let start = Self.floats(seed: 0)
    weights.all.assign(start)
    var expected = start.map { Double($0) }
    for step in 1...6 {
      let rate = 0.1 / Double(step)
      let g = Self.floats(seed: step)
      gradients.all.assign(g)
      optimizer.update(weights.all, along: gradients.all, learningRate: rate)
      for index in expected.indices {
        rule(&expected[index], Double(g[index]), rate, index, step)
      }
      let difference = largestDifference(weights.all.elements.map { Double($0) }, expected)
      #expect(difference < 2e-6, "after \(step) updates")
      #expect(optimizer.updates == step)
      #expect(gradients.all.elements.elementsEqual(g))
    }
  }

  @Test(
    arguments: [
      (0, false, 0), (0, false, 0.01), (0.9, false, 0), (0.9, false, 0.01), (0.9, true, 0),
      (0.8, true, 0.01),
    ] as [(Double, Bool, Double)])
  func sgdFollowsItsRule(_ momentum: Double, _ usesNesterov: Bool, _ weightDecay: Double) {
    let optimizer = SGD(
      count: Self.count, momentum: momentum, usesNesterov: usesNesterov, weightDecay: weightDecay)
    var buffers = [Double](repeating: 0, count: Self.count)
    compare(optimizer) { w, g, rate, index, step in
      var g = g + weightDecay * w
      if momentum != 0 {
        // PyTorch starts the buffer with the first gradient itself.
        buffers[index] = step == 1 ? g : momentum * buffers[index] + g
        g = usesNesterov ? g + momentum * buffers[index] : buffers[index]
      }
      w -= rate * g
    }
    #expect(optimizer.state.map(\.name) == (momentum == 0 ? [] : ["momentum_buffer"]))
    if let velocity = optimizer.state.first?.values.elements {
      #expect(zip(velocity, buffers).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    }
  }

  @Test(arguments: 0..<4) func theLargestGradientsLeaveTheStateFinite(index: Int) throws {
    func make() -> any ParameterOptimizer {
      switch index {
      case 0: SGD(count: 2, momentum: 0, weightDecay: 0.1)
      case 1: SGD(count: 2, momentum: 0.9, usesNesterov: true, weightDecay: 0.1)
      case 2: AdamW(count: 2, weightDecay: 0.1)
      default: WeightAverage(of: AdamW(count: 2, weightDecay: 0), count: 2, decay: 0.9)
      }
    }
    func stateIsFinite(gradient: Float) -> Bool {
      let (optimizer, weights, gradients) = (make(), FlatBuffer(count: 2), FlatBuffer(count: 2))
      gradients.all.fill(gradient)
      for _ in 0..<4000 {
        optimizer.update(weights.all, along: gradients.all, learningRate: 1e-6)
      }
      return (optimizer.state.map(\.values) + [weights.all]).allSatisfy {
        $0.elements.allSatisfy(\.isFinite)
      }
    }
    let largest = make().largestGradient
    #expect(largest > 1e18 && stateIsFinite(gradient: largest))
    // Not much more would do; without momentum there is no state.
    #expect(index == 0 || !stateIsFinite(gradient: 8 * largest))
  }

  @Test(arguments: [0, 0.01, 0.3]) func adamWFollowsItsRule(_ weightDecay: Double) {
    let optimizer = AdamW(count: Self.count, weightDecay: weightDecay)
    var means = [Double](repeating: 0, count: Self.count)
    var squares = means
    compare(optimizer) { w, g, rate, index, step in
      w -= rate * weightDecay * w
      means[index] = 0.9 * means[index] + 0.1 * g
      squares[index] = 0.999 * squares[index] + 0.001 * g * g
      let mean = means[index] / (1 - pow(0.9, Double(step)))
      let square = squares[index] / (1 - pow(0.999, Double(step)))
      w -= rate * mean / (square.squareRoot() + 1e-8)
    }
    #expect(optimizer.state.map(\.name) == ["exp_avg", "exp_avg_sq"])
    #expect(
      zip(optimizer.state[0].values.elements, means).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    #expect(
      zip(optimizer.state[1].values.elements, squares).allSatisfy { abs(Double($0) - $1) < 1e-6 })
  }

  @Test(arguments: [0, 0.5, 0.99]) func theAverageFollowsItsRule(_ decay: Double) throws {
    let optimizer = WeightAverage(
      of: SGD(count: 3, momentum: 0.9, weightDecay: 0), count: 3, decay: decay)
    #expect(optimizer.publishedWeights == nil)
    #expect(optimizer.state.map(\.name) == ["momentum_buffer", "trained_weights"])
    let (weights, gradients) = (FlatBuffer(count: 3), FlatBuffer(count: 3))
    var average: [Double] = []
    for step in 0..<5 {
      gradients.all.assign([1, Float(step), -2])
      optimizer.update(weights.all, along: gradients.all, learningRate: 0.1)
      let now = weights.all.elements.map { Double($0) }
      average =
        step == 0 ? now : zip(average, now).map { decay * $0 + (1 - decay) * $1 }
    }
    let published = try #require(optimizer.publishedWeights).elements
    #expect(zip(published, average).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    #expect((published == weights.all.elements) == (decay == 0))
  }

  /// State and count are all that must be saved.
  @Test func aRestoredOptimizerGoesOnAlike() {
    for makeOptimizer in [
      { SGD(count: 4, momentum: 0.9, usesNesterov: true, weightDecay: 0.1) },
      { AdamW(count: 4, weightDecay: 0.1) },
      { WeightAverage(of: AdamW(count: 4, weightDecay: 0.1), count: 4, decay: 0.5) },
    ] as [() -> any ParameterOptimizer] {
      let (whole, first, second) = (makeOptimizer(), makeOptimizer(), makeOptimizer())
      let (a, b, g) = (FlatBuffer(count: 4), FlatBuffer(count: 4), FlatBuffer(count: 4))
      for buffer in [a, b] { buffer.all.assign([1, -2, 3, 0]) }
      for step in 0..<4 {
        g.all.assign([1, 2, -1, Float(step)])
        whole.update(a.all, along: g.all, learningRate: 0.1)
        if step == 2 {
          for (to, from) in zip(second.state, first.state) {
            to.values.assign(from.values.elements)
          }
          second.updates = first.updates
        }
        (step < 2 ? first : second).update(b.all, along: g.all, learningRate: 0.1)
      }
      #expect(a.all.elements == b.all.elements)
      #expect(whole.publishedWeights?.elements == second.publishedWeights?.elements)
    }
  }
}
