import Distributed
import SpikingNetworks
import TestSupport
import Testing

@testable import Training

/// One process; how many do the same is in DataParallelTrainerMPITests.
struct DataParallelTrainerTests {
  private static let model = ["model.blocks=[1,1]", "model.width=4", "data.augmentation=none"]

  private func job(_ overrides: String...) throws -> SmallJob {
    try SmallJob(Self.model + overrides, SingleProcess())
  }

  @Test(arguments: DataParallelTrainerMPITests.methods) func theLossFalls(_ method: [String]) throws
  {
    let job = try SmallJob(Self.model + method, SingleProcess())
    let metrics = try job.train(epochs: 15)
    #expect(job.trainer.iteration == 45 && job.trainer.replica.optimizer.updates == 45)
    let (first, last) = (metrics.prefix(3).map(\.loss), metrics.suffix(3).map(\.loss))
    #expect(last.reduce(0, +) < 0.85 * first.reduce(0, +))
    #expect(metrics.allSatisfy { $0.firingRate > 0 && $0.firingRate < 1 && $0.top5 == 1 })
  }

  @Test func equalConfigurationsGiveEqualBits() throws {
    func weights(_ overrides: String...) throws -> [Float] {
      let job = try SmallJob(
        Self.model + ["model.dropout=0.2", "data.augmentation=shift"] + overrides, SingleProcess())
      _ = try job.train(epochs: 2)
      return job.network.store.weights.all.elements
    }
    let first = try weights()
    #expect(try weights() == first)
    let other = try weights("training.seed=1")
    #expect(other != first)
  }

  /// Of networks without batch norm, which would see other batches.
  @Test(arguments: DataParallelTrainerMPITests.normalizerFree, DataParallelTrainerMPITests.methods)
  func microBatchesAddUpToTheBatch(_ model: [String], _ method: [String]) throws {
    func train(_ overrides: [String]) throws -> (metrics: [IterationMetrics], weights: [Float]) {
      let job = try SmallJob(
        model + method + ["data.mixup=0.4"] + overrides, SingleProcess())
      job.assign { name, _ in name.hasSuffix("gain") ? 2 : nil }
      return (try job.train(epochs: 2), job.network.store.weights.all.elements)
    }
    let (whole, parts) = (try train([]), try train(["training.micro_batch=4"]))
    #expect(relativeDifference(parts.weights, whole.weights) < 2e-5)
    #expect(parts.metrics.map(\.samples) == whole.metrics.map(\.samples))
    #expect(parts.metrics.map(\.spikes) == whole.metrics.map(\.spikes))
    #expect(parts.metrics.map(\.inputs) == whole.metrics.map(\.inputs))
    #expect(parts.metrics.map(\.correct) == whole.metrics.map(\.correct))
    for (part, whole) in zip(parts.metrics, whole.metrics) {
      #expect(abs(part.loss - whole.loss) < 1e-5 * whole.loss && whole.spikes > 0)
    }
  }

  @Test func aBatchIsNeverLargerThanTheData() throws {
    let metrics = try job("training.global_batch=100").train(epochs: 2)
    #expect(metrics.map(\.samples) == [23, 23])
  }

  @Test func evaluationChangesNothing() throws {
    let job = try job("model.dropout=0.3")
    _ = try job.train(epochs: 1)
    let store = job.network.store
    let before = (store.weights.all.elements, store.statisticValues.all.elements)
    let first = try job.evaluate()
    let second = try job.evaluate()
    #expect(first.samples == 13 && first.loss == second.loss && first.correct == second.correct)
    #expect(first.spikes == second.spikes)
    #expect(
      store.weights.all.elements == before.0 && store.statisticValues.all.elements == before.1)
    #expect(job.trainer.iteration == 3)
  }

  @Test func takesNoStepAlongGradientsThatAreNotFinite() throws {
    let job = try job()
    let store = job.network.store
    job.assign { name, index in name == "conv1.weight" && index == 0 ? .nan : nil }
    let before = (store.weights.all.elements, store.statisticValues.all.elements)
    let outcome = try job.trainOnce()
    #expect(
      outcome.nonFinite
        == "the gradient of conv1.weight is not finite in iteration 1 on rank 0")
    #expect(job.trainer.iteration == 1 && job.trainer.replica.optimizer.updates == 0)
    let weights = store.weights.all.elements
    #expect(zip(weights, before.0).allSatisfy { $0.bitPattern == $1.bitPattern })
    #expect(store.statisticValues.all.elements == before.1)
    #expect(before.1.allSatisfy { $0.isFinite })
    job.assign { name, index in name == "conv1.weight" && index == 0 ? 0.1 : nil }
    #expect(try job.trainOnce().nonFinite == nil)
    #expect(store.weights.all.elements.allSatisfy { $0.isFinite })
  }

  /// A double holds the square of the logits' distance from their target, and the metrics' floats do not.
  @Test func aLossTooLargeForAFloatIsNotFinite() throws {
    let job = try job("loss.mse_weight=1")
    job.assign { name, index in name == "linear.bias" && index == 0 ? 1e20 : nil }
    let outcome = try job.trainOnce()
    #expect(outcome.nonFinite == "the loss is not finite in iteration 1 on rank 0")
    #expect(job.trainer.replica.optimizer.updates == 0)
  }

  @Test func networksThatCannotBeAreRefused() throws {
    #expect(
      message { _ = try job("data.image_size=4") }
        == "--set data.image_size=4: data.image_size 4 is too small for this network: layer 'pool' has a"
        + " window of 4x4, which does not fit into 2x2x8; it needs at least 7")
  }
}
