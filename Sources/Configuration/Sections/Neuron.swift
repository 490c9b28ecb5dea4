import SpikingNetworks
import Tensors

extension Configuration {
  /// Its neurons.
  public struct Neuron: Sendable {
    public var tau = 1.1
    public var threshold = 1.0
    public var surrogate = SurrogateGradient.Shape.triangle
    public var surrogateWidth: Double?
    public var hasLearnableTau = false
  }
}

extension Configuration.Neuron {
  static let keys: [ConfigurationKey] = [
    .init(
      "neuron.tau", \.neuron.tau, limit: .timeConstant,
      "Membrane time constant in time steps; inf makes an IF neuron."),
    .init(
      "neuron.threshold", \.neuron.threshold, limit: .positive,
      "Membrane potential at which a neuron fires."),
    .init(
      "neuron.surrogate", \.neuron.surrogate,
      "What stands in for the derivative of a spike."),
    .init(
      "neuron.surrogate_width", \.neuron.surrogateWidth, limit: .positive,
      "Its width parameter; left out: 1, or 4 for sigmoid."),
    .init(
      "neuron.learnable_tau", \.neuron.hasLearnableTau,
      "Learn tau, one for each layer of neurons."),
  ]
}

extension Configuration.Neuron {
  /// What a network's neurons are like where its parts say nothing else.
  package var specification: NeuronSpecification {
    NeuronSpecification(
      tau: Float(tau), threshold: Float(threshold),
      surrogate: SurrogateGradient(surrogate, width: surrogateWidth.map { Float($0) }),
      hasLearnableTau: hasLearnableTau)
  }
}
