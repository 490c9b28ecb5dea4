import Configuration
import Foundation

/// The learning rate of each epoch.
///
/// With base rate η, W epochs of warm-up and E epochs in all:
/// - epoch e < W: `η (e + 1) / (W + 1)`
/// - then, with e' = e - W: cosine `η (1 + cos(π e' / (E - W))) / 2`, step `η γ^⌊e' / s⌋`, or η.
///
/// These are PyTorch's LinearLR(start_factor=1/(W+1), total_iters=W), followed by
/// CosineAnnealingLR(T_max=E-W) or StepLR(s, γ), each stepped once an epoch.
public struct LearningRateSchedule: Equatable, Sendable {
  public typealias Name = Configuration.Schedule.Name

  public let name: Name
  /// η, the rate right after the warm-up.
  public let baseRate: Double
  /// E
  public let epochs: Int
  /// W
  public let warmupEpochs: Int
  /// s, in epochs; for `step` only.
  public let stepSize: Int
  /// γ; for `step` only.
  public let gamma: Double

  public init(
    _ name: Name, baseRate: Double, epochs: Int, warmupEpochs: Int = 0, stepSize: Int = 30,
    gamma: Double = 0.1
  ) {
    precondition(warmupEpochs >= 0 && warmupEpochs < epochs && stepSize >= 1)
    self.name = name
    self.baseRate = baseRate
    self.epochs = epochs
    self.warmupEpochs = warmupEpochs
    self.stepSize = stepSize
    self.gamma = gamma
  }

  /// The learning rate in an epoch, counted from 0.
  public func rate(epoch: Int) -> Double {
    guard epoch >= warmupEpochs else {
      return baseRate * Double(epoch + 1) / Double(warmupEpochs + 1)
    }
    let elapsed = epoch - warmupEpochs
    switch name {
    case .cosine:
      return baseRate * (1 + cos(.pi * Double(elapsed) / Double(epochs - warmupEpochs))) / 2
    case .step:
      return baseRate * pow(gamma, Double(elapsed / stepSize))
    case .constant:
      return baseRate
    }
  }
}
