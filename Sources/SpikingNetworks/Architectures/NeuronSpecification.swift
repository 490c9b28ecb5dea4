import Tensors

/// What a network's neurons are like.
public struct NeuronSpecification: Equatable, Sendable {
  /// How the membrane potential goes on, named as in configuration files.
  public enum Kind: String, CaseIterable, Sendable {
    /// It leaks with the time constant tau.
    case lif
    /// It does not leak; tau means nothing.
    case `if`
    /// LIF that learns tau, one for each layer of neurons (Fang et al., ICCV 2021, arXiv 2007.05785).
    case plif
    /// LIF whose reset grows with the spikes before it (Huang et al., "CLIF", ICML 2024).
    case clif
  }

  /// Whether the threshold moves, named as in configuration files.
  public enum ThresholdRule: String, CaseIterable, Sendable {
    case fixed
    /// It follows mean and deviation of a layer's potentials, so that as great a share of them fires as at
    /// the first time step (OTS: Zhu et al., ICLR 2024).
    case stabilized
  }

  public var kind: Kind
  /// Membrane time constant in time steps; with `.infinity` there is no leak.
  public var tau: Float
  /// Membrane potential at which the neuron fires; at the first time step, where it moves.
  public var threshold: Float
  public var thresholdRule: ThresholdRule
  public var reset: Reset
  /// Whether no gradient flows through the spikes of the reset, where it flows through time at all.
  public var detachesReset: Bool
  /// The most spikes that it fires at a time step.
  public var levels: Int
  public var firing: Firing
  /// Stands in for the derivative of the spike.
  public var surrogate: SurrogateGradient

  public init(
    kind: Kind = .lif, tau: Float = 1.1, threshold: Float = 1,
    thresholdRule: ThresholdRule = .fixed, reset: Reset = .soft, detachesReset: Bool = false,
    levels: Int = 1, firing: Firing = .floor, surrogate: SurrogateGradient = .init(.triangle)
  ) {
    self.kind = kind
    self.tau = tau
    self.threshold = threshold
    self.thresholdRule = thresholdRule
    self.reset = reset
    self.detachesReset = detachesReset
    self.levels = levels
    self.firing = firing
    self.surrogate = surrogate
  }

  /// Why there is no such neuron, or `nil`.
  public var problem: (key: String, problem: String)? {
    let isTauValid = kind == .plif ? tau > 1 && tau < .infinity : tau >= 1
    if !isTauValid {
      return ("tau", "\(tau) must be at least 1 (for kind plif greater, and finite)")
    }
    if !(1...MembraneDynamics.mostLevels).contains(levels) {
      return ("levels", "\(levels) must be from 1 to \(MembraneDynamics.mostLevels)")
    }
    if kind == .clif {
      if reset == .hard {
        return ("reset", "hard makes no sense for kind clif, whose reset subtracts: set it to soft")
      }
      if detachesReset {
        return (
          "detach_reset",
          "is not defined for kind clif, which remembers its resets: set it to false"
        )
      }
    }
    if levels > 1 && reset == .hard {
      return (
        "levels",
        "\(levels) need a reset that subtracts as many thresholds as spikes: set reset to soft"
      )
    }
    if thresholdRule == .stabilized && reset == .hard {
      return (
        "threshold_rule", "stabilized is defined for a reset that subtracts: set reset to soft"
      )
    }
    for (name, isSet) in [
      ("kind clif", kind == .clif), ("threshold_rule stabilized", thresholdRule == .stabilized),
    ] where isSet {
      if levels > 1 {
        return ("levels", "\(levels) are not defined for \(name): set levels to 1")
      }
      if firing == .round {
        return ("firing", "round is not defined for \(name): set firing to floor")
      }
    }
    if kind == .clif && thresholdRule == .stabilized {
      return ("threshold_rule", "stabilized is not defined for kind clif: set it to fixed")
    }
    return nil
  }

  /// Its arithmetic with a decay; `nil`: that of tau.
  func dynamics(decay: Float? = nil, threshold: Float? = nil) -> MembraneDynamics {
    MembraneDynamics(
      decay: decay ?? (kind == .if ? 1 : 1 - 1 / tau), threshold: threshold ?? self.threshold,
      surrogate: surrogate, reset: reset, detachesReset: detachesReset, levels: levels,
      firing: firing, isComplementary: kind == .clif)
  }
}
