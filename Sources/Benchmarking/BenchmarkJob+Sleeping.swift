import Foundation
import Training

extension BenchmarkJob {
  /// Of the computing: the backward pass of the last time step is about two thirds of its work.
  private static let backwardShare = 2.0 / 3
  /// In which gradients become final then.
  private static let pieces = 20

  /// One iteration whose computing is slept through; the ranks exchange what they do in training, and with
  /// `distributed.overlap` as early.
  func iterate(sleeping seconds: Double) throws -> IterationMetrics {
    let exchange = trainer.replica.exchange
    let gradients = trainer.network.store.weights.count
    let last = seconds * Self.backwardShare / Double(timesteps)
    Thread.sleep(forTimeInterval: seconds - last)
    for piece in 1...Self.pieces {
      Thread.sleep(forTimeInterval: last / Double(Self.pieces))
      exchange.gradientsAreFinal(before: gradients * piece / Self.pieces)
    }
    let start = ContinuousClock.now
    try exchange.finish()
    if exchange.isUpdateShared {
      _ = try exchange.update(trainer.replica.optimizer, learningRate: 0, measuresNorm: false)
    }
    profile.add(.reduce, since: start)
    return IterationMetrics()
  }
}
