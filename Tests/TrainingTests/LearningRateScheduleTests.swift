import Foundation
import Testing

@testable import Training

struct LearningRateScheduleTests {
  private func expect(_ schedule: LearningRateSchedule, _ rates: [Double]) {
    for (epoch, rate) in rates.enumerated() {
      #expect(abs(schedule.rate(epoch: epoch) - rate) < 1e-12, "epoch \(epoch)")
    }
  }

  /// PyTorch's documented recursion for CosineAnnealingLR with eta_min 0,
  /// `η[e+1] = η[e] (1 + cos(π (e+1) / E)) / (1 + cos(π e / E))`, is another form of the same curve.
  @Test func cosineFollowsTheRecursionOfPyTorch() {
    let epochs = 30
    var rates = [0.4]
    for e in 0..<epochs - 1 {
      let ratio = (1 + cos(.pi * Double(e + 1) / 30)) / (1 + cos(.pi * Double(e) / 30))
      rates.append(rates[e] * ratio)
    }
    expect(LearningRateSchedule(.cosine, baseRate: 0.4, epochs: epochs), rates)
    expect(LearningRateSchedule(.cosine, baseRate: 1, epochs: 3), [1, 0.75, 0.25])
  }

  @Test func stepDropsAtMultiplesOfItsSize() {
    expect(
      LearningRateSchedule(.step, baseRate: 1, epochs: 7, stepSize: 3, gamma: 0.1),
      [1, 1, 1, 0.1, 0.1, 0.1, 0.01])
  }

  @Test func constantStays() {
    expect(LearningRateSchedule(.constant, baseRate: 0.3, epochs: 3), [0.3, 0.3, 0.3])
  }

  @Test func warmUpRisesLinearlyAndTheScheduleFollows() {
    expect(
      LearningRateSchedule(.cosine, baseRate: 1, epochs: 6, warmupEpochs: 3),
      [0.25, 0.5, 0.75, 1, 0.75, 0.25])
    expect(
      LearningRateSchedule(
        .step, baseRate: 1, epochs: 6, warmupEpochs: 1, stepSize: 2, gamma: 0.5),
      [0.5, 1, 1, 0.5, 0.5, 0.25])
  }
}
