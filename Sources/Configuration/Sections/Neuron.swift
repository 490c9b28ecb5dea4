import SpikingNetworks
import Tensors

extension Configuration {
  /// Its neurons.
  public struct Neuron: Sendable {
    public var kind = NeuronSpecification.Kind.lif
    public var tau = 1.1
    public var threshold = 1.0
    public var thresholdRule = NeuronSpecification.ThresholdRule.fixed
    public var reset = Reset.soft
    public var detachesReset = false
    public var levels = 1
    public var firing = Firing.floor
    public var surrogate = SurrogateGradient.Shape.triangle
    public var surrogateWidth: Double?
  }
}

extension Configuration.Neuron {
  static let keys: [ConfigurationKey] = [
    .init(
      "neuron.kind", \.neuron.kind,
      "LIF; IF: no leak; PLIF: learns tau; CLIF: its reset grows with its spikes."),
    .init(
      "neuron.tau", \.neuron.tau, limit: .timeConstant,
      "Membrane time constant in time steps; inf: no leak."),
    .init(
      "neuron.threshold", \.neuron.threshold, limit: .positive,
      "Membrane potential at which a neuron fires."),
    .init(
      "neuron.threshold_rule", \.neuron.thresholdRule,
      "Fixed, or stabilized: it follows mean and deviation of the layer's potentials (OTS)."),
    .init(
      "neuron.reset", \.neuron.reset,
      "What a spike does to the potential: soft subtracts the threshold, hard sets it to 0."),
    .init(
      "neuron.detach_reset", \.neuron.detachesReset,
      "No gradient through the spikes of the reset; for bptt and rate."),
    .init(
      "neuron.levels", \.neuron.levels, limit: .within(1...MembraneDynamics.mostLevels),
      "The most spikes that a neuron fires at a time step."),
    .init(
      "neuron.firing", \.neuron.firing,
      "Fires at 1, 2, … times the threshold (floor), or at 1/2, 3/2, … (round)."),
    .init(
      "neuron.surrogate", \.neuron.surrogate,
      "What stands in for the derivative of a spike."),
    .init(
      "neuron.surrogate_width", \.neuron.surrogateWidth, limit: .positive,
      "Its width parameter; left out: 1, or 4 for sigmoid, 2 for arctan."),
    .init("neuron.learnable_tau", \.neuron.learnsTau, isFormer: true, "Kind plif."),
  ]

  /// As files of earlier versions said kind plif.
  private var learnsTau: Bool? {
    get { nil }
    set { kind = newValue == true ? .plif : kind == .plif ? .lif : kind }
  }
}

extension Configuration.Neuron {
  /// What a network's neurons are like where its parts say nothing else.
  package var specification: NeuronSpecification {
    NeuronSpecification(
      kind: kind, tau: Float(tau), threshold: Float(threshold), thresholdRule: thresholdRule,
      reset: reset, detachesReset: detachesReset, levels: levels, firing: firing,
      surrogate: SurrogateGradient(surrogate, width: surrogateWidth.map { Float($0) }))
  }
}
