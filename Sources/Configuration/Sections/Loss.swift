import SpikingNetworks

extension Configuration {
  /// What is minimised.
  public struct Loss: Sendable {
    /// nil: loss-of-mean for the method rate, else mean-of-losses.
    public var kind: LossSpecification.Kind?
    public var stepWeights: [Double]?
    public var mseWeight = 0.05
    public var mseTarget = LossSpecification.Target.constant
    public var mseMean = 1.0
    public var labelSmoothing = 0.0
  }
}

extension Configuration.Loss {
  static let keys: [ConfigurationKey] = [
    .init(
      "loss.kind", \.loss.kind,
      "Mean of the time steps' losses, or loss of their mean; left out: by the method."),
    .init(
      "loss.step_weights", \.loss.stepWeights, limit: .weights,
      "What the loss of each time step is multiplied by, for mean-of-losses; left out: 1."),
    .init(
      "loss.mse_weight", \.loss.mseWeight, limit: .share,
      "Weight of the squared error; cross-entropy has the rest."),
    .init(
      "loss.mse_target", \.loss.mseTarget,
      "What the squared error compares the outputs with."),
    .init(
      "loss.mse_mean", \.loss.mseMean, limit: .any,
      "Value of the constant target."),
    .init(
      "loss.label_smoothing", \.loss.labelSmoothing, limit: .belowOne,
      "Share of the cross-entropy's target that is spread evenly over all classes."),
  ]
}

extension Configuration {
  package var lossSpecification: LossSpecification {
    LossSpecification(
      kind: loss.kind ?? (method.name == .rate ? .lossOfMean : .meanOfLosses),
      stepWeights: loss.stepWeights.map { $0.map { Float($0) } },
      mseWeight: Float(loss.mseWeight), mseTarget: loss.mseTarget, mseMean: Float(loss.mseMean),
      labelSmoothing: Float(loss.labelSmoothing),
      distillation: distill.checkpoint.map { _ in
        SpikingNetworks.Distillation(
          temperature: Float(distill.temperature), weight: Float(distill.weight))
      })
  }
}
