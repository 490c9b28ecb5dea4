extension Configuration {
  /// When checkpoints are made, and which stay.
  public struct Checkpointing: Sendable {
    public enum ErrorAction: String, CaseIterable, Sendable {
      case stop
      case `continue`
    }

    public var everyIterations: Int?
    public var everyMinutes: Double? = 10
    public var everyEpochs: Int? = 1
    public var keep = 3
    public var onError = ErrorAction.stop
  }
}

extension Configuration.Checkpointing {
  static let keys: [ConfigurationKey] = [
    .init(
      "checkpoint.every_iterations", \.checkpoint.everyIterations, limit: .count,
      "Iterations between two checkpoints, besides those below."),
    .init(
      "checkpoint.every_minutes", \.checkpoint.everyMinutes, limit: .minutes,
      "Minutes after the last checkpoint when another is due."),
    .init(
      "checkpoint.every_epochs", \.checkpoint.everyEpochs, limit: .count,
      "Epochs between two checkpoints; the best and the last epoch always have one."),
    .init(
      "checkpoint.keep", \.checkpoint.keep, limit: .count,
      "Checkpoints that stay; of older ones only the best does."),
    .init(
      "checkpoint.on_error", \.checkpoint.onError,
      "Whether a run ends when a checkpoint or its metrics cannot be written."),
  ]
}
