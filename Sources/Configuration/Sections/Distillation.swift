extension Configuration {
  /// What is learnt from the outputs of a trained network.
  public struct Distillation: Sendable {
    /// nil: there is no teacher.
    public var checkpoint: String?
    public var temperature = 4.0
    public var weight = 0.5
  }
}

extension Configuration.Distillation {
  static let keys: [ConfigurationKey] = [
    .init(
      "distill.checkpoint", \.distill.checkpoint, limit: .notEmpty,
      "The teacher: a run, a checkpoint, or a model's file; left out: none."),
    .init(
      "distill.temperature", \.distill.temperature, limit: .within(0.01...1000),
      "What the outputs of both are divided by before the softmax."),
    .init(
      "distill.weight", \.distill.weight, limit: .share,
      "Weight of the teacher's outputs in the loss; the labels have the rest."),
  ]
}
