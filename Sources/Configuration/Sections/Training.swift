import Tensors

extension Configuration {
  /// How long, on how much at once, and how exactly.
  public struct Training: Sendable {
    public var epochs = 20
    public var maxIterations: Int?
    public var globalBatch = 50
    /// nil: all of a rank's samples at once.
    public var microBatch: Int?
    public var seed: UInt64 = 2022
    public var precision = Precision.float32
    public var memory = MemoryUse.fast
    /// Decay of the average of the weights; nil: there is none.
    public var averageDecay: Double?
    public var logEvery = 30

    public enum NonFiniteAction: String, CaseIterable, Sendable {
      case stop, skip, rollback
    }

    public var onNonFinite = NonFiniteAction.stop
    public var checkReplicasEvery = 20
    public var validateEvery = 1
  }
}

extension Configuration.Training {
  static let keys: [ConfigurationKey] = [
    .init(
      "training.epochs", \.training.epochs, limit: .count,
      "Passes over the training data."),
    .init(
      "training.max_iterations", \.training.maxIterations, limit: .count,
      "Stop after so many iterations, whatever the epochs."),
    .init(
      "training.global_batch", \.training.globalBatch, limit: .samples, isFixedInRun: true,
      "Images in an iteration, over all ranks together."),
    .init(
      "training.micro_batch", \.training.microBatch, limit: .samples,
      "Samples of a rank at once, which saves memory; left out: all of its part."),
    .init(
      "training.seed", \.training.seed,
      "Determines initial weights, sample order and every other random choice."),
    .init(
      "training.precision", \.training.precision,
      "float32, or mixed: direct convolutions, and weights under spikes, in bfloat16."),
    .init(
      "training.memory", \.training.memory,
      "What to save: fast (time), or lean (memory; rounds what batch norm's gradient needs)."),
    .init(
      "training.ema", \.training.averageDecay, limit: .belowOne, isFixedInRun: true,
      "Decay of an average of the weights, which is validated and saved; left out: none."),
    .init(
      "training.log_every", \.training.logEvery, limit: .count,
      "Iterations between two records of the training metrics."),
    .init(
      "training.on_nonfinite", \.training.onNonFinite,
      "What a loss or gradient that is not finite does: stop, skip the update, go back."),
    .init(
      "training.check_replicas_every", \.training.checkReplicasEvery, limit: .count,
      "Iterations between two comparisons of the ranks' weights."),
    .init(
      "training.validate_every", \.training.validateEvery, limit: .count,
      "Epochs between two validations; the last epoch always has one."),
  ]
}
