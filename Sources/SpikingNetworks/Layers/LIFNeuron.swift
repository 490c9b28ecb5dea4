import Foundation
import Tensors

/// A layer of leaky integrate-and-fire neurons, with the batch norm or constant scale before it.
///
///     u[t] = (1 - 1/tau) v[t-1] + scale x[t] + shift
///     s[t] = H(u[t] - threshold)
///     v[t] = u[t] - threshold s[t]
///
/// (SLTT, arXiv 2302.14311, equation 3, soft reset.) Input and spikes are [N, H, W, C].
///
/// The membrane potential v[t] is at once the state and what the backward pass needs. Whoever must keep
/// it holds a reference, and a time step overwrites it only where nobody does: under SLTT the backward
/// pass has let go of it by then, and one buffer serves all time steps; under BPTT each gets its own.
final class LIFNeuron: NeuronLayer {
  let name: String
  private let normalization: BatchNorm?
  private let scaling: ChannelAffine
  private let shape: Shape
  private let amplitude: Float
  private let specification: NeuronSpecification
  private let roundsGradients: Bool
  /// Whether batch norm's input is kept in half the memory.
  private let keepsRounded: Bool
  private let profile: StepProfile?
  /// `w` with 1/tau = σ(w) (Fang et al., arXiv 2007.05785), where tau is learnt.
  private let tauParameter: Parameter?
  private var membrane: SharedTensor?
  /// dL/dv of the time step before the one that was back-propagated last.
  private var membraneGradient: SharedTensor?

  var threshold: Float
  private(set) var spikeCount = 0
  private(set) var neuronSteps = 0

  /// - Parameters:
  ///   - input: of one sample.
  ///   - inputScale: multiplies the input where there is no normalisation.
  ///   - amplitude: the value that a spike stands for in the layers that follow.
  ///   - specification: left out: the network's.
  init(
    _ name: String, input: Shape, normalization: BatchNorm? = nil, inputScale: Float = 1,
    amplitude: Float = 1, specification: NeuronSpecification? = nil, _ builder: NetworkBuilder
  ) {
    self.name = name
    self.normalization = normalization
    self.amplitude = amplitude
    shape = input
    scaling = ChannelAffine(uniform: inputScale, channels: input.c)
    let specification = specification ?? builder.specification.neuron
    self.specification = specification
    threshold = specification.threshold
    roundsGradients = builder.roundsGradients
    keepsRounded = builder.specification.memory == .lean
    profile = builder.profile
    tauParameter =
      specification.hasLearnableTau
      ? builder.parameter(name + ".w", [], .constant(-log(specification.tau - 1))) : nil
  }

  private var dynamics: MembraneDynamics {
    let decay = tauParameter.map { 1 - sigmoid($0.values[0]) } ?? 1 - 1 / specification.tau
    return MembraneDynamics(
      decay: decay, threshold: threshold, surrogate: specification.surrogate)
  }

  func beginSequence(_ context: IterationContext) {
    membrane = nil
    membraneGradient = nil
    spikeCount = 0
    neuronSteps = 0
  }

  /// The spikes of a time step, which stay on the tape with what batch norm needs of its input.
  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    let x = x.values(in: tape.arena)
    let spikes: Spikes
    if let normalization {
      let start = ContinuousClock.now
      let affine = normalization.forward(x, &tape)
      profile?.add(.norm, of: name, since: start)
      let centered =
        keepsRounded && tape.isRecording ? RoundedTensor(x.tensor.shape, in: tape.arena) : nil
      spikes = fire(x.tensor, affine, centered: centered, mean: normalization.mean, &tape)
      tape.push(centered.map { .centered($0) } ?? .exact(x))
    } else {
      spikes = fire(x.tensor, scaling, &tape)
    }
    tape.push(spikes)
    return .spikes(spikes)
  }

  private func fire(
    _ x: borrowing Tensor, _ affine: ChannelAffine, centered: RoundedTensor? = nil,
    mean: FloatView? = nil, _ tape: inout Tape
  ) -> Spikes {
    let start = ContinuousClock.now
    var spikes = SpikeTensor(x.shape, amplitude: amplitude, in: tape.arena)
    if tauParameter != nil { tape.push(membrane) }
    // Nobody else holds the membrane potential of the last time step: this one may replace it.
    let isFree = isKnownUniquelyReferenced(&membrane)
    let previous = membrane
    let next = isFree ? membrane! : SharedTensor(Tensor(x.shape, in: tape.arena))
    spikeCount += dynamics.forward(
      x, affine, previous: previous, next: next, spikes: &spikes, centered: centered, mean: mean)
    neuronSteps += x.shape.count
    membrane = next
    tape.push(next)
    profile?.add(.neuron, of: name, since: start)
    return Spikes(spikes)
  }

  /// Without normalisation, which would take another pass after this one.
  var addsSkip: Bool { normalization == nil }

  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient {
    backward(gradient, skip: nil, &tape)
  }

  /// dL/dx from the gradient of the spikes' values; adds to the parameters' gradients.
  func backward(
    _ gradient: consuming Gradient, skip: SharedTensor?, _ tape: inout Tape
  ) -> Gradient {
    precondition(skip == nil || addsSkip)
    var g = gradient
    // It fires in one plane.
    let spikes = tape.popSpikes().planes[0]
    let dynamics = dynamics
    let decayGradient: Double
    // Both in one pass are more than it can do.
    if g.more != nil && (normalization == nil || g.dropout != nil) { g.settle(in: tape.arena) }
    let (more, dropout) = (g.more, g.dropout)
    (g.more, g.dropout) = (nil, nil)
    SharedTensor.makeUnique(&g.value, in: tape.arena)
    let start = ContinuousClock.now
    if let normalization {
      let x = tape.popNormalizationInput()
      let step = popStep(dropout, &tape)
      let statistics = normalization.popStatistics(&tape)
      decayGradient = dynamics.backward(
        &g.value.tensor, more: more, spikes: spikes.spikes, step: step, input: x,
        mean: statistics.mean, sums: normalization.sums)
      profile?.add(.neuron, of: name, since: start)
      let normStart = ContinuousClock.now
      normalization.backward(
        &g.value.tensor, input: x, statistics: statistics, rounding: roundsGradients)
      profile?.add(.norm, of: name, since: normStart)
    } else {
      let step = popStep(dropout, &tape)
      decayGradient = dynamics.backward(
        &g.value.tensor, spikes: spikes.spikes, step: step, scale: scaling.scale, skip: skip,
        rounding: roundsGradients)
      profile?.add(.neuron, of: name, since: start)
    }
    if let tauParameter {
      // decay = 1 - σ(w)
      let slope = dynamics.decay * (1 - dynamics.decay)
      tauParameter.gradient[0] -= Float(decayGradient) * slope
    }
    return g
  }

  private func popStep(_ dropout: DropoutMask?, _ tape: inout Tape) -> MembraneDynamics.Step {
    let membrane = tape.popShared()!
    let previous = tauParameter == nil ? nil : tape.popShared()
    let later = membraneGradient
    membraneGradient =
      tape.hasEarlierStep
      ? later ?? SharedTensor(Tensor(membrane.tensor.shape, in: tape.arena)) : nil
    return MembraneDynamics.Step(
      membrane: membrane, previous: previous, laterGradient: later,
      earlierGradient: membraneGradient, dropout: dropout)
  }

  var summary: LayerSummary {
    let membraneBytes = shape.count * 4
    let spikeBytes = SpikeTensor.bytes(shape)
    let inputBytes = keepsRounded ? membraneBytes / 2 : membraneBytes
    return LayerSummary(
      name: name, kind: normalization == nil ? "lif" : "bn + lif", output: shape,
      parameters: (tauParameter?.count ?? 0)
        + (normalization.map { $0.weight.count + $0.bias.count } ?? 0),
      stateBytes: membraneBytes,
      // v[t], x[t] for batch norm, v[t-1] for the gradient of tau.
      tapeBytes: membraneBytes + (normalization == nil ? 0 : inputBytes)
        + (tauParameter == nil ? 0 : membraneBytes) + spikeBytes)
  }
}

private func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
