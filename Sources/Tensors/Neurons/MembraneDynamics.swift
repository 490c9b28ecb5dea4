internal import CSpikeKernels

/// One time step of a layer of leaky integrate-and-fire neurons.
///
///     u[t] = decay v[t-1] + scale x[t] + shift      charge
///     s[t] = H(u[t] - threshold)                    fire
///     v[t] = u[t] - threshold s[t]                  soft reset
///
/// `scale` and `shift` (per channel) take in the normalisation that precedes the neuron, which so
/// costs no pass over memory of its own. Arguments are NHWC and of one shape.
public struct MembraneDynamics {
  /// `1 - 1/tau`
  public var decay: Float
  /// Membrane potential at which the neuron fires.
  public let threshold: Float
  /// Stands in for the derivative of the spike.
  public let surrogate: SurrogateGradient

  public init(decay: Float, threshold: Float, surrogate: SurrogateGradient) {
    self.decay = decay
    self.threshold = threshold
    self.surrogate = surrogate
  }

  /// Writes v[t] to `next`, which may be `previous`, and s[t] to `spikes`.
  ///
  /// - Parameters:
  ///   - input: x[t].
  ///   - previous: v[t-1]; `nil` at the first time step, where it is 0.
  ///   - centered: takes x[t] - `mean`, where given.
  /// - Returns: the number of spikes.
  public func forward(
    _ input: borrowing Tensor, _ affine: ChannelAffine, previous: SharedTensor?,
    next: SharedTensor, spikes: inout SpikeTensor, centered: RoundedTensor? = nil,
    mean: FloatView? = nil
  ) -> Int {
    let shape = input.shape
    precondition(spikes.shape == shape && next.tensor.shape == shape)
    precondition(affine.scale.count == shape.c)
    precondition(centered.map { $0.shape == shape && mean!.count == shape.c } ?? true)
    let arguments = sltt_lif_forward_args(
      channels: shape.c, input: input.pointer, scale: affine.scale.base, shift: affine.shift.base,
      previous: previous?.tensor.pointer, mean: mean?.base, centered: centered?.pointer,
      membrane: next.tensor.pointer, spikes: spikes.words,
      decay: decay, threshold: threshold)
    let fired = parallelSum(shape.pixels, grain: pixelGrain(channels: shape.c)) { _, part in
      withUnsafePointer(to: arguments) {
        Double(sltt_lif_forward($0, part.lowerBound, part.upperBound))
      }
    }
    spikes.spikeCount = Int(fired)
    return spikes.spikeCount
  }

  /// What the backward pass of time step t is given about it.
  public struct Step {
    /// v[t]
    public var membrane: SharedTensor
    /// v[t-1], where the gradient of the decay is wanted.
    public var previous: SharedTensor?
    /// dL/dv[t] from time step t+1; `nil` where it is cut or 0.
    public var laterGradient: SharedTensor?
    /// Takes dL/dv[t-1]; may be `laterGradient`; `nil` where it is cut.
    public var earlierGradient: SharedTensor?
    /// What dropout made of s[t]; `nil` where there is none.
    public var dropout: DropoutMask?

    public init(
      membrane: SharedTensor, previous: SharedTensor?, laterGradient: SharedTensor?,
      earlierGradient: SharedTensor?, dropout: DropoutMask? = nil
    ) {
      self.membrane = membrane
      self.previous = previous
      self.laterGradient = laterGradient
      self.earlierGradient = earlierGradient
      self.dropout = dropout
    }
  }

  /// Replaces dL/d(amplitude s[t]) in `gradient`, or the gradient of what dropout made of it, by
  /// dL/dx[t] = scale dL/du[t].
  ///
  ///     dL/du[t] = (dL/ds[t] - threshold dL/dv[t]) surrogate(u[t] - threshold) + dL/dv[t]
  ///     dL/dv[t-1] = decay dL/du[t]
  ///
  /// - Parameters:
  ///   - skip: another gradient of x[t], past the neuron, which is added to the result.
  ///   - rounding: whether a convolution will want the result in bfloat16 as well.
  /// - Returns: the gradient of the decay.
  public func backward(
    _ gradient: inout Tensor, spikes: borrowing SpikeTensor, step: Step, scale: FloatView,
    skip: SharedTensor? = nil, rounding: Bool = false
  ) -> Double {
    precondition(skip.map { $0.tensor.shape == spikes.shape } ?? true)
    let rounded = gradient.willChange(rounding: rounding)
    var arguments = arguments(gradient, spikes, step)
    arguments.rounded = rounded
    arguments.skip_gradient = skip.map { UnsafePointer($0.tensor.pointer) }
    arguments.output_scale = UnsafePointer(scale.base)
    return parallelSum(
      spikes.shape.pixels, grain: pixelGrain(channels: spikes.shape.c)
    ) { _, part in
      withUnsafePointer(to: arguments) { sltt_lif_backward($0, part.lowerBound, part.upperBound) }
    }
  }

  /// Replaces dL/d(amplitude s[t]) in `gradient`, or the gradient of what dropout made of it, by
  /// dL/du[t], and takes what batch norm's backward pass needs: per channel, the sums of dL/du[t] and
  /// of dL/du[t] (input - mean).
  ///
  /// - Parameter more: another gradient of amplitude s[t], which is added to the first.
  /// - Returns: the gradient of the decay.
  public func backward(
    _ gradient: inout Tensor, more: SharedTensor? = nil, spikes: borrowing SpikeTensor, step: Step,
    input: NormalizationInput, mean: FloatView, sums: ChannelSums
  ) -> Double {
    precondition(input.shape == spikes.shape && mean.count == spikes.shape.c)
    precondition(more.map { $0.tensor.shape == spikes.shape } ?? true)
    gradient.willChange()
    var arguments = arguments(gradient, spikes, step)
    arguments.input = input.exact
    arguments.centered = input.centered
    arguments.mean = UnsafePointer(mean.base)
    arguments.more_gradient = more.map { UnsafePointer($0.tensor.pointer) }
    let common = arguments
    return sums.accumulate(rows: spikes.shape.pixels) { sums, part in
      var arguments = common
      arguments.sums = sums
      return sltt_lif_backward(&arguments, part.lowerBound, part.upperBound)
    }
  }

  private func arguments(
    _ gradient: borrowing Tensor, _ spikes: borrowing SpikeTensor, _ step: Step
  ) -> sltt_lif_backward_args {
    precondition(gradient.shape == spikes.shape && step.membrane.tensor.shape == spikes.shape)
    precondition(step.dropout.map { $0.kept.shape == spikes.shape } ?? true)
    return sltt_lif_backward_args(
      channels: spikes.shape.c, spikes: spikes.words, membrane: step.membrane.tensor.pointer,
      kept: step.dropout.map { UnsafePointer($0.kept.words) },
      gradient: gradient.pointer, more_gradient: nil, skip_gradient: nil, rounded: nil,
      output_scale: nil,
      membrane_gradient_in: step.laterGradient?.tensor.pointer,
      membrane_gradient_out: step.earlierGradient?.tensor.pointer,
      input: nil, mean: nil, centered: nil, sums: nil, previous: step.previous?.tensor.pointer,
      amplitude: spikes.amplitude * (step.dropout?.scale ?? 1), decay: decay, threshold: threshold,
      width: surrogate.width,
      surrogate: surrogate.kernel)
  }
}
