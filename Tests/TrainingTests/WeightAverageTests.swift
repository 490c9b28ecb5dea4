import Distributed
import SpikingNetworks
import Tensors
import TestSupport
import Testing

@testable import Training

/// A run with an average of the weights, `training.ema`.
struct WeightAverageTests {
  private func job(_ settings: String...) throws -> SmallJob {
    try SmallJob(["model.blocks=[1]", "model.width=4"] + settings, SingleProcess())
  }

  private func weights(_ job: SmallJob) -> [Float] { job.network.store.weights.all.elements }

  /// Training goes on as without it; what is measured is the average.
  @Test func judgesByTheAverageAlone() throws {
    let (plain, averaged) = (try job(), try job("training.ema=0.9"))
    let initial = try averaged.evaluate()
    #expect(initial.loss == (try plain.evaluate()).loss)
    _ = try plain.train(epochs: 2)
    _ = try averaged.train(epochs: 2)
    #expect(weights(averaged) == weights(plain))
    let replica = averaged.trainer.replica
    let published = try #require(replica.optimizer.publishedWeights).elements
    let inUse = try replica.withPublishedWeights { weights(averaged) }
    #expect(inUse == published && published != weights(plain))
    // The same network with those weights for good.
    let measured = try averaged.evaluate()
    plain.network.store.weights.all.assign(published)
    plain.network.weightsDidChange()
    #expect(measured.loss == (try plain.evaluate()).loss)
    #expect(weights(averaged) != published)
  }

  /// The model's file has the average; a run goes on with the weights that it trained.
  @Test func checkpointsHoldBoth() throws {
    let directory = try TemporaryDirectory()
    let original = try job("training.ema=0.9")
    _ = try original.train(epochs: 1)
    let replica = original.trainer.replica
    try replica.withPublishedWeights {
      try Checkpoint.write(
        Snapshot(original.network, replica.optimizer),
        .example(iteration: 3, updates: replica.optimizer.updates), to: directory.path)
    }
    let checkpoint = try Checkpoint(contentsOf: directory.path).verified()
    let (restored, other) = (try job("training.ema=0.9"), try job())
    try checkpoint.restore(other.network, [])
    #expect(weights(other) == replica.optimizer.publishedWeights?.elements)
    try restored.trainer.replica.restore(checkpoint)
    #expect(weights(restored) == weights(original))
    try original.trainOnce()
    try restored.trainOnce()
    #expect(weights(restored) == weights(original))
    #expect(
      restored.trainer.replica.optimizer.publishedWeights?.elements
        == replica.optimizer.publishedWeights?.elements)
  }
}
