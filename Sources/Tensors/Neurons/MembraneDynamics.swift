internal import CSpikeKernels

/// What a spike does to the membrane potential, named as in configuration files.
public enum Reset: String, CaseIterable, Sendable {
  /// Subtracts the threshold.
  case soft
  /// Sets it to 0.
  case hard
}

/// Where the potentials lie at which a neuron fires, named as in configuration files.
public enum Firing: String, CaseIterable, Sendable {
  /// At 1, 2, … times the threshold: as many spikes as it goes into the potential (M-HT: Hao et al., NeurIPS
  /// 2024).
  case floor
  /// At 1/2, 3/2, … times the threshold (I-LIF: Luo et al., ECCV 2024).
  case round

  /// The lowest of these potentials, in thresholds.
  public var offset: Float { self == .floor ? 1 : 0.5 }
}

/// One time step of a layer of neurons with a leak.
///
///     u[t] = decay v[t-1] + scale x[t] + shift                       charge
///     s[t] = sum over k of H(u[t] - θ (o + k)), k = 0 ..< levels     fire; o: 1, or 1/2 with rounding
///     v[t] = u[t] - θ s[t]                                           soft reset
///          = u[t] (1 - s[t])                                         hard reset
///          = u[t] - θ s[t] (1 + σ(m[t]))                             complementary (CLIF: Huang et al.,
///     m[t] = m[t-1] σ(u[t] / tau) + s[t]                             ICML 2024)
///
/// `scale` and `shift` (per channel) take in the normalisation that precedes the neuron, which so
/// costs no pass over memory of its own. Arguments are NHWC and of one shape.
public struct MembraneDynamics: Sendable {
  /// `1 - 1/tau`
  public var decay: Float
  /// θ
  public var threshold: Float
  /// Stands in for the derivative of a spike.
  public let surrogate: SurrogateGradient
  public let reset: Reset
  /// Whether no gradient flows through the spikes of the reset.
  public let detachesReset: Bool
  /// The most spikes of a time step.
  public let levels: Int
  public let firing: Firing
  /// Whether each spike makes the next reset stronger; with a soft reset.
  public let isComplementary: Bool

  /// The most levels that there can be.
  public static let mostLevels = (1 << SLTT_MOST_PLANES) - 1

  public init(
    decay: Float, threshold: Float, surrogate: SurrogateGradient, reset: Reset = .soft,
    detachesReset: Bool = false, levels: Int = 1, firing: Firing = .floor,
    isComplementary: Bool = false
  ) {
    precondition((1...Self.mostLevels).contains(levels))
    precondition(reset == .soft || levels == 1 && !isComplementary)
    self.decay = decay
    self.threshold = threshold
    self.surrogate = surrogate
    self.reset = reset
    self.detachesReset = detachesReset
    self.levels = levels
    self.firing = firing
    self.isComplementary = isComplementary
  }

  /// Whether the reset changes nothing in how later potentials depend on earlier ones.
  var resetsAlike: Bool { reset == .soft && detachesReset }

  /// Makes u[t] and s[t], and m[t] of complementary neurons.
  ///
  /// - Parameters:
  ///   - input: x[t].
  ///   - previous: of time step t-1; `nil` at the first one, where v is 0.
  ///   - next: takes u[t]; may be `previous`.
  ///   - amplitude: what a spike stands for.
  ///   - centered: takes x[t] - `mean`, where given.
  public func forward(
    _ input: borrowing Tensor, _ affine: ChannelAffine, previous: Membrane?, next: Membrane,
    amplitude: Float = 1, in arena: Arena, centered: RoundedTensor? = nil, mean: FloatView? = nil
  ) -> Spikes {
    var arguments = charging(input, affine, previous, next, centered, mean)
    return fire(&arguments, next, amplitude, in: arena)
  }

  /// Makes u[t] only; `forward` explains the arguments.
  public func charge(
    _ input: borrowing Tensor, _ affine: ChannelAffine, previous: Membrane?, next: Membrane,
    centered: RoundedTensor? = nil, mean: FloatView? = nil
  ) {
    precondition(!isComplementary)
    _ = run(charging(input, affine, previous, next, centered, mean), next.shape)
  }

  /// s[t] of a membrane that was charged.
  public func fire(_ membrane: Membrane, amplitude: Float = 1, in arena: Arena) -> Spikes {
    var arguments = arguments(membrane)
    return fire(&arguments, membrane, amplitude, in: arena)
  }

  private func charging(
    _ input: borrowing Tensor, _ affine: ChannelAffine, _ previous: Membrane?, _ next: Membrane,
    _ centered: RoundedTensor?, _ mean: FloatView?
  ) -> sltt_neuron_forward_args {
    let shape = input.shape
    precondition(next.shape == shape && affine.scale.count == shape.c)
    precondition(previous.map { $0.shape == shape } ?? true)
    precondition(centered.map { $0.shape == shape && mean!.count == shape.c } ?? true)
    var arguments = arguments(next)
    arguments.input = UnsafePointer(input.pointer)
    arguments.scale = UnsafePointer(affine.scale.base)
    arguments.shift = UnsafePointer(affine.shift.base)
    arguments.previous = previous.map { UnsafePointer($0.potential.tensor.pointer) }
    arguments.previous_threshold = previous?.threshold ?? 0
    arguments.previous_complement =
      previous?.complement.map { UnsafePointer($0.tensor.pointer) }
    arguments.mean = mean.map { UnsafePointer($0.base) }
    arguments.centered = centered?.pointer
    return arguments
  }

  private func arguments(_ membrane: Membrane) -> sltt_neuron_forward_args {
    var arguments = sltt_neuron_forward_args()
    arguments.channels = membrane.shape.c
    arguments.membrane = membrane.potential.tensor.pointer
    arguments.complement = membrane.complement?.tensor.pointer
    arguments.planes = Spikes.planes(levels: levels)
    arguments.neurons = neurons(threshold: threshold)
    return arguments
  }

  private func fire(
    _ arguments: inout sltt_neuron_forward_args, _ membrane: Membrane, _ amplitude: Float,
    in arena: Arena
  ) -> Spikes {
    precondition((membrane.complement != nil) == isComplementary)
    let spikes = Spikes(membrane.shape, levels: levels, amplitude: amplitude, in: arena)
    withUnsafeMutableBytes(of: &arguments.spikes) {
      let words = $0.assumingMemoryBound(to: UnsafeMutablePointer<UInt64>.self)
      for (plane, bits) in spikes.words.enumerated() { words[plane] = bits }
    }
    let fired = run(arguments, membrane.shape)
    membrane.threshold = threshold
    if spikes.planes.count == 1 {
      spikes.planes[0].spikes.spikeCount = fired
    } else {
      spikes.countSpikes()
    }
    return spikes
  }

  /// - Returns: the number of spikes.
  private func run(_ arguments: sltt_neuron_forward_args, _ shape: Shape) -> Int {
    Int(
      parallelSum(shape.pixels, grain: pixelGrain(channels: shape.c)) { _, part in
        withUnsafePointer(to: arguments) {
          Double(sltt_neuron_forward($0, part.lowerBound, part.upperBound))
        }
      })
  }

  /// What the backward pass of time step t is given about it.
  public struct Step {
    public var membrane: Membrane
    /// Of time step t-1, where the gradient of the decay is wanted, or neurons are complementary; `nil` at
    /// the first one.
    public var previous: Membrane?
    /// dL/dv[t], and dL/dm[t], from time step t+1; `nil` where it is cut or 0.
    public var laterGradient: Membrane?
    /// Takes dL/dv[t-1] and dL/dm[t-1]; may be `laterGradient`; `nil` where it is cut.
    public var earlierGradient: Membrane?
    /// What dropout made of s[t]; `nil` where there is none.
    public var dropout: DropoutMask?

    public init(
      membrane: Membrane, previous: Membrane? = nil, laterGradient: Membrane? = nil,
      earlierGradient: Membrane? = nil, dropout: DropoutMask? = nil
    ) {
      self.membrane = membrane
      self.previous = previous
      self.laterGradient = laterGradient
      self.earlierGradient = earlierGradient
      self.dropout = dropout
    }
  }

  /// What the spikes' gradient becomes that of the neurons' input by.
  public enum Backward {
    /// One time step:
    ///
    ///     dL/du[t] = dL/ds[t] s' + dL/dv[t] dv[t]/du[t]
    ///     dv/du = 1 - θ s'         soft reset            1        detached
    ///           = 1 - s - u s'     hard reset            1 - s    detached
    ///     dL/dv[t-1] = decay dL/du[t]
    ///
    /// s' is the surrogate, summed over the levels. Complementary neurons: as their equations say.
    case step(Step)
    /// All time steps at once, by their averages; and what dropout made of the spikes.
    case averages(FiringAverages, DropoutMask?)

    var dropout: DropoutMask? {
      switch self {
      case .step(let step): step.dropout
      case .averages(_, let dropout): dropout
      }
    }
  }

  /// Replaces dL/d(amplitude s[t]) in `gradient`, or the gradient of what dropout made of it, by
  /// dL/dx[t] = scale dL/du[t].
  ///
  /// - Parameters:
  ///   - skip: another gradient of x[t], past the neuron, which is added to the result.
  ///   - rounding: whether a convolution will want the result in bfloat16 as well.
  /// - Returns: the gradient of the decay, where `Step.previous` is given.
  public func backward(
    _ gradient: inout Tensor, amplitude: Float = 1, by backward: Backward, scale: FloatView,
    skip: SharedTensor? = nil, rounding: Bool = false
  ) -> Double {
    precondition(skip.map { $0.tensor.shape == gradient.shape } ?? true)
    let rounded = gradient.willChange(rounding: rounding)
    var arguments = arguments(gradient, amplitude, backward)
    arguments.rounded = rounded
    arguments.skip_gradient = skip.map { UnsafePointer($0.tensor.pointer) }
    arguments.output_scale = UnsafePointer(scale.base)
    let shape = gradient.shape
    return parallelSum(shape.pixels, grain: pixelGrain(channels: shape.c)) { _, part in
      withUnsafePointer(to: arguments) {
        sltt_neuron_backward($0, part.lowerBound, part.upperBound)
      }
    }
  }

  /// Replaces dL/d(amplitude s[t]) in `gradient`, or the gradient of what dropout made of it, by
  /// dL/du[t], and takes what batch norm's backward pass needs: per channel, the sums of dL/du[t] and
  /// of dL/du[t] (input - mean).
  ///
  /// - Parameter more: another gradient of amplitude s[t], which is added to the first.
  /// - Returns: the gradient of the decay, where `Step.previous` is given.
  public func backward(
    _ gradient: inout Tensor, more: SharedTensor? = nil, amplitude: Float = 1,
    by backward: Backward, input: NormalizationInput, mean: FloatView, sums: ChannelSums
  ) -> Double {
    let shape = gradient.shape
    precondition(input.shape == shape && mean.count == shape.c)
    precondition(more.map { $0.tensor.shape == shape } ?? true)
    gradient.willChange()
    var arguments = arguments(gradient, amplitude, backward)
    arguments.input = input.exact
    arguments.centered = input.centered
    arguments.mean = UnsafePointer(mean.base)
    arguments.more_gradient = more.map { UnsafePointer($0.tensor.pointer) }
    let common = arguments
    return sums.accumulate(rows: shape.pixels) { sums, part in
      var arguments = common
      arguments.sums = sums
      return sltt_neuron_backward(&arguments, part.lowerBound, part.upperBound)
    }
  }

  private func arguments(
    _ gradient: borrowing Tensor, _ amplitude: Float, _ backward: Backward
  ) -> sltt_neuron_backward_args {
    let shape = gradient.shape
    precondition(backward.dropout.map { $0.kept.shape == shape } ?? true)
    var arguments = sltt_neuron_backward_args()
    arguments.channels = shape.c
    arguments.gradient = gradient.pointer
    arguments.kept = backward.dropout.map { UnsafePointer($0.kept.words) }
    arguments.amplitude = amplitude * (backward.dropout?.scale ?? 1)
    switch backward {
    case .averages(let averages, _):
      precondition(averages.gains.tensor.shape == shape)
      arguments.gains = UnsafePointer(averages.gains.tensor.pointer)
      arguments.neurons = neurons(threshold: threshold)
    case .step(let step):
      let (membrane, previous) = (step.membrane, step.previous)
      precondition(membrane.shape == shape)
      arguments.membrane = UnsafePointer(membrane.potential.tensor.pointer)
      arguments.neurons = neurons(threshold: membrane.threshold)
      arguments.membrane_gradient_in =
        (step.laterGradient?.potential.tensor.pointer).map { UnsafePointer($0) }
      arguments.membrane_gradient_out = step.earlierGradient?.potential.tensor.pointer
      if isComplementary {
        arguments.complement = membrane.complement.map { UnsafePointer($0.tensor.pointer) }
        arguments.previous_complement =
          previous?.complement.map { UnsafePointer($0.tensor.pointer) }
        arguments.complement_gradient_in =
          step.laterGradient?.complement.map { UnsafePointer($0.tensor.pointer) }
        arguments.complement_gradient_out = step.earlierGradient?.complement?.tensor.pointer
      } else {
        arguments.previous = previous.map { UnsafePointer($0.potential.tensor.pointer) }
        arguments.previous_threshold = previous?.threshold ?? 0
      }
    }
    return arguments
  }

  /// Adds a time step to averages over `timesteps`.
  ///
  /// - Parameter amplitude: what a spike stands for.
  public func average(
    _ membrane: Membrane, into averages: FiringAverages, amplitude: Float = 1, timesteps: Int
  ) {
    precondition(!isComplementary && averages.gains.tensor.shape == membrane.shape)
    if averages.eligibility == nil {
      averages.uniformEligibility = 1 + decay * averages.uniformEligibility
    }
    let arguments = sltt_neuron_average_args(
      membrane: UnsafePointer(membrane.potential.tensor.pointer),
      eligibility: averages.eligibility?.tensor.pointer,
      uniform_eligibility: averages.uniformEligibility,
      gains: averages.gains.tensor.pointer, spikes: averages.spikes.tensor.pointer,
      share: 1 / Float(timesteps), spike_share: amplitude / Float(timesteps),
      neurons: neurons(threshold: membrane.threshold))
    parallelFor(membrane.shape.count, grain: 8192) { _, part in
      withUnsafePointer(to: arguments) {
        sltt_neuron_average($0, part.lowerBound, part.upperBound)
      }
    }
  }

  private func neurons(threshold: Float) -> sltt_neurons {
    sltt_neurons(
      decay: decay, threshold: threshold, offset: firing.offset, levels: levels,
      reset: reset == .soft ? SLTT_SOFT_RESET : SLTT_HARD_RESET,
      detaches_reset: detachesReset ? 1 : 0, surrogate: surrogate.kernel,
      width: surrogate.width)
  }
}
