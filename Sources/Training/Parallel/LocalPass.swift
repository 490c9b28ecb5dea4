import Datasets
import SpikingNetworks
import Tensors

/// The way of a rank's part of a batch through its network, one micro-batch after another.
struct LocalPass {
  let network: SpikingNetwork
  let step: TrainingStep
  /// Samples that go through the network at once; nil: all.
  let microBatch: Int?

  /// Adds the gradients of the batch to the network's, and completes them.
  ///
  /// - Parameter progress: is called before each micro-batch.
  func accumulateGradients(
    of batch: Batch, seed: UInt64, iteration: Int, progress: () -> Void = {}
  ) -> IterationMetrics {
    var total = IterationMetrics(of: network.plan, timesteps: step.timesteps)
    let mixture = batch.mixture
    for part in parts(of: batch) {
      progress()
      step.accumulateGradients(
        frames(batch, part), labels: batch.labels[part].map(Int.init),
        mixture: mixture.map {
          LabelMixture(share: $0.share, partners: $0.partnerLabels[part].map(Int.init))
        },
        globalCount: batch.globalCount,
        context: IterationContext(
          seed: seed, iteration: iteration, sampleOffset: batch.offset + part.lowerBound),
        isLast: part.upperBound == batch.count)
      total.accumulate(measured(part))
    }
    network.completeGradients()
    total.replaced = Double(batch.replaced)
    return total
  }

  /// Runs the batch forward only.
  ///
  /// - Parameters:
  ///   - globalCount: samples over which the loss is averaged.
  ///   - total: what was measured so far, to which this is added.
  ///   - progress: is called before each micro-batch.
  func evaluate(
    _ batch: Batch, globalCount: Int, into total: inout IterationMetrics, progress: () -> Void
  ) {
    for part in parts(of: batch) {
      progress()
      total.accumulate(evaluate(batch, part, globalCount: globalCount))
    }
    total.replaced += Double(batch.replaced)
  }

  /// Is given a batch, the position of a sample in it, its label, and what the network says of it.
  typealias SampleObserver = (
    _ batch: Batch, _ sample: Int, _ label: Int, _ prediction: Prediction?
  ) -> Void

  /// The same, with all that `evaluate` tells.
  func evaluate(
    _ batch: Batch, globalCount: Int, into total: inout EvaluationMetrics, progress: () -> Void,
    observe: SampleObserver
  ) {
    for part in parts(of: batch) {
      progress()
      let metrics = evaluate(batch, part, globalCount: globalCount) {
        total.add(step.loss, after: $0)
      }
      total.overall.accumulate(metrics)
      for sample in part {
        let prediction = step.loss.prediction(of: sample - part.lowerBound)
        let label = Int(batch.labels[sample])
        total.add(prediction, label: label)
        observe(batch, sample, label, prediction)
      }
    }
    total.overall.replaced += Double(batch.replaced)
  }

  /// What the network says of a batch's samples, whose labels mean nothing; nil where it says nothing.
  func predict(_ batch: Batch) -> [Prediction?] {
    parts(of: batch).flatMap { part in
      _ = evaluate(batch, part, globalCount: batch.globalCount)
      return (0..<part.count).map { step.loss.prediction(of: $0) }
    }
  }

  /// The same as `evaluate`, as it is and unrolled.
  func compareUnrolled(
    _ batch: Batch, globalCount: Int, into total: inout UnrollingMetrics, progress: () -> Void
  ) {
    for part in parts(of: batch) {
      progress()
      total.levels.accumulate(evaluate(batch, part, globalCount: globalCount))
      let logits = step.loss.logitSums
      progress()
      total.unrolled.accumulate(
        evaluate(batch, part, globalCount: globalCount, isUnrolled: true))
      total.compare(logits, unrolled: step.loss.logitSums, samples: part.count)
    }
  }

  /// Runs some of a batch's samples forward only.
  private func evaluate(
    _ batch: Batch, _ part: Range<Int>, globalCount: Int, isUnrolled: Bool = false,
    observe: (_ t: Int) -> Void = { _ in }
  ) -> IterationMetrics {
    step.evaluate(
      frames(batch, part), labels: batch.labels[part].map(Int.init), globalCount: globalCount,
      isUnrolled: isUnrolled, observe: observe)
    return measured(part)
  }

  /// The samples of a batch in order, in parts of at most one micro-batch.
  private func parts(of batch: Batch) -> [Range<Int>] {
    let size = microBatch ?? max(batch.count, 1)
    return stride(from: 0, to: batch.count, by: size).map { $0..<min($0 + size, batch.count) }
  }

  /// Some of a batch's images as the frame of every time step, or of its recordings as one for each;
  /// valid as long as the batch.
  private func frames(_ batch: Batch, _ part: Range<Int>) -> FrameSequence {
    let shape = network.specification.input.withSamples(batch.timesteps * batch.count)
    let frames = Tensor(viewOf: batch.frames, shape)
    return batch.timesteps == 1
      ? FrameSequence(static: frames, samples: part)
      : FrameSequence(frames, timesteps: batch.timesteps, samples: part)
  }

  /// What the latest micro-batch gave.
  private func measured(_ part: Range<Int>) -> IterationMetrics {
    var metrics = IterationMetrics()
    metrics.loss = step.expectedLoss
    metrics.samples = Double(part.count)
    metrics.correct = Double(step.loss.correct(amongTop: 1))
    metrics.correctTop5 = Double(step.loss.correct(amongTop: 5))
    metrics.enter(network.firing)
    metrics.spikeInputs = network.spikeInputs
    metrics.inputs = network.convolutions.map {
      .init(spikes: Double($0.inputActivity.spikes), sites: Double($0.inputActivity.sites))
    }
    return metrics
  }
}
