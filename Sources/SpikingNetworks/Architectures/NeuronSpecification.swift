import Tensors

/// The leaky integrate-and-fire neuron's constants.
public struct NeuronSpecification: Equatable, Sendable {
  /// Membrane time constant in time steps; `.infinity` makes it an IF neuron.
  public var tau: Float
  /// Membrane potential at which the neuron fires.
  public var threshold: Float
  /// Stands in for the derivative of the spike.
  public var surrogate: SurrogateGradient
  /// Learns `tau`, one for each LIF layer (Fang et al., ICCV 2021, arXiv 2007.05785).
  public var hasLearnableTau: Bool

  public init(
    tau: Float = 1.1, threshold: Float = 1, surrogate: SurrogateGradient = .init(.triangle),
    hasLearnableTau: Bool = false
  ) {
    self.tau = tau
    self.threshold = threshold
    self.surrogate = surrogate
    self.hasLearnableTau = hasLearnableTau
  }

  /// Why there is no such neuron, or `nil`; follows the word `tau`.
  var problem: String? {
    let isValid = hasLearnableTau ? tau > 1 && tau < .infinity : tau >= 1
    return isValid ? nil : "\(tau) must be at least 1 (a learnable one greater and finite)"
  }
}

extension NeuronSpecification {
  /// A layer of such neurons; `LIFNeuron` explains the arguments.
  func layer(
    _ name: String, input: Shape, normalization: BatchNorm?, inputScale: Float, amplitude: Float,
    _ builder: NetworkBuilder
  ) -> any NeuronLayer {
    LIFNeuron(
      name, input: input, normalization: normalization, inputScale: inputScale,
      amplitude: amplitude, specification: self, builder)
  }
}
