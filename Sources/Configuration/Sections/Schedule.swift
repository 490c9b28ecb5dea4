extension Configuration {
  /// How the learning rate changes.
  public struct Schedule: Sendable {
    /// How the learning rate falls.
    public enum Name: String, CaseIterable, Sendable {
      case cosine, step, constant
    }

    public var name = Name.cosine
    public var warmupEpochs = 0
    public var stepSize = 30
    public var gamma = 0.1
  }
}

extension Configuration.Schedule {
  static let keys: [ConfigurationKey] = [
    .init(
      "schedule.name", \.schedule.name,
      "How the learning rate falls from epoch to epoch."),
    .init(
      "schedule.warmup_epochs", \.schedule.warmupEpochs, limit: .countOrNone,
      "Epochs in which the learning rate first rises linearly."),
    .init(
      "schedule.step_size", \.schedule.stepSize, limit: .count,
      "Epochs between two drops of the step schedule."),
    .init(
      "schedule.gamma", \.schedule.gamma, limit: .within(1e-30...1),
      "Factor of each drop of the step schedule."),
  ]
}
