extension Configuration {
  /// How weights follow gradients.
  public struct Optimizer: Sendable {
    public enum Name: String, CaseIterable, Sendable {
      case sgd, adamw
    }

    public var name = Name.sgd
    public var learningRate = 0.1
    public var momentum = 0.9
    public var usesNesterov = false
    public var weightDecay = 5e-4
    /// λ of adaptive clipping; nil: there is none.
    public var adaptiveClipping: Double?
    /// nil: gradients are not clipped by their norm.
    public var clipNorm: Double?
    /// Whether each rank keeps a part of the state.
    public var isSharded = false
  }
}

extension Configuration.Optimizer {
  static let keys: [ConfigurationKey] = [
    .init(
      "optimizer.name", \.optimizer.name, isFixedInRun: true,
      "SGD with momentum, or AdamW."),
    .init(
      "optimizer.learning_rate", \.optimizer.learningRate, limit: .positive,
      "Learning rate after the warm-up."),
    .init(
      "optimizer.momentum", \.optimizer.momentum, limit: .belowOne,
      "Momentum of SGD."),
    .init(
      "optimizer.nesterov", \.optimizer.usesNesterov,
      "Nesterov's momentum, for SGD."),
    .init(
      "optimizer.weight_decay", \.optimizer.weightDecay, limit: .notNegative,
      "Weight decay; for AdamW decoupled from the gradient."),
    .init(
      "optimizer.agc", \.optimizer.adaptiveClipping, limit: .positive,
      "Largest norm of a unit's gradient, as a share of its weights' norm; left out: none."),
    .init(
      "optimizer.clip_norm", \.optimizer.clipNorm, limit: .positive,
      "Norm to which the gradient of all weights together is shortened; left out: none."),
    .init(
      "optimizer.shard", \.optimizer.isSharded,
      "Divide momentum among the ranks, which saves memory (ZeRO stage 1)."),
  ]
}
