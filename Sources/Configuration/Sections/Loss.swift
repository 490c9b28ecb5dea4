import SpikingNetworks

extension Configuration {
  /// What is minimised.
  public struct Loss: Sendable {
    public var mseWeight = 0.05
    public var mseTarget = LossSpecification.Target.constant
    public var mseMean = 1.0
    public var labelSmoothing = 0.0
  }
}

extension Configuration.Loss {
  static let keys: [ConfigurationKey] = [
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

extension Configuration.Loss {
  package var specification: LossSpecification {
    LossSpecification(
      mseWeight: Float(mseWeight), mseTarget: mseTarget, mseMean: Float(mseMean),
      labelSmoothing: Float(labelSmoothing))
  }
}
