import Foundation
import Tensors

/// A layer of leaky integrate-and-fire neurons, with the normalisation or constant scale before it.
///
///     u[t] = (1 - 1/tau) v[t-1] + scale x[t] + shift
///     s[t] = H(u[t] - threshold)
///     v[t] = u[t] - threshold s[t]
///
/// (SLTT, arXiv 2302.14311, equation 3, soft reset.) Input and spikes are [N, H, W, C]. `MembraneDynamics`
/// has the other kinds of neurons and resets.
///
/// The membrane potential u[t] is at once the state and what the backward pass needs. Whoever must keep
/// it holds a reference, and a time step overwrites it only where nobody does: under SLTT the backward
/// pass has let go of it by then, and one buffer serves all time steps; under BPTT each gets its own.
final class LIFNeuron: NeuronLayer {
  let name: String
  private let normalization: (any Normalization)?
  private let scaling: ChannelAffine
  let shape: Shape
  /// The value that a spike stands for.
  let amplitude: Float
  private let specification: NeuronSpecification
  private let roundsGradients: Bool
  /// Whether the normalisation's input is kept in half the memory.
  private let keepsRounded: Bool
  private let profile: StepProfile?
  /// `w` with 1/tau = σ(w) (Fang et al., arXiv 2007.05785), where tau is learnt.
  private let tauParameter: Parameter?
  private let stabilizer: ThresholdStabilizer?
  private(set) var membrane: Membrane?
  /// dL/dv of the time step before the one that was back-propagated last.
  private var membraneGradient: Membrane?
  private var averages: FiringAverages?

  var threshold: Float
  private(set) var spikeCounts: [Int] = []
  private(set) var neuronSteps = 0
  var fired: FiredNeurons?

  /// - Parameters:
  ///   - input: of one sample.
  ///   - inputScale: multiplies the input where there is no normalisation.
  ///   - amplitude: the value that a spike stands for in the layers that follow.
  ///   - specification: left out: the network's.
  init(
    _ name: String, input: Shape, normalization: (any Normalization)? = nil, inputScale: Float = 1,
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
      specification.kind == .plif
      ? builder.parameter(name + ".w", [], .constant(-log(specification.tau - 1))) : nil
    stabilizer =
      specification.thresholdRule == .stabilized ? ThresholdStabilizer(channels: input.c) : nil
  }

  /// Its arithmetic; with a threshold that moves, that of the first time step.
  var dynamics: MembraneDynamics {
    specification.dynamics(
      decay: tauParameter.map { 1 - sigmoid($0.values[0]) }, threshold: threshold)
  }

  /// The map of the input before it is added to the membrane potential, in evaluation.
  var inputAffine: ChannelAffine { normalization?.runningAffine ?? scaling }

  var decay: Float { dynamics.decay }
  var levels: Int { specification.levels }

  /// Whether a backward pass needs the membrane of the time step before.
  private var keepsPrevious: Bool { tauParameter != nil || specification.kind == .clif }

  func beginSequence(_ context: IterationContext) {
    normalization?.beginSequence()
    stabilizer?.beginSequence()
    membrane = nil
    membraneGradient = nil
    averages = nil
    spikeCounts.removeAll(keepingCapacity: true)
    neuronSteps = 0
  }

  /// The spikes of a time step; in the pass through averages, the mean of the spikes of all time steps.
  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    let x = x.values(in: tape.arena)
    guard let normalization else { return fire(x, scaling, &tape) }
    let start = ContinuousClock.now
    let affine = normalization.forward(x, &tape)
    profile?.add(.norm, of: name, since: start)
    if tape.averaging == .passing {
      tape.push(.exact(x))
      return fire(x, affine, &tape)
    }
    let centered =
      keepsRounded && tape.isRecording ? RoundedTensor(x.tensor.shape, in: tape.arena) : nil
    let spikes = fire(x, affine, centered: centered, mean: normalization.mean, &tape)
    tape.push(centered.map { .centered($0) } ?? .exact(x))
    return spikes
  }

  private func fire(
    _ x: SharedTensor, _ affine: ChannelAffine, centered: RoundedTensor? = nil,
    mean: FloatView? = nil, _ tape: inout Tape
  ) -> Signal {
    if tape.averaging == .passing {
      membrane = nil
      return .floats(averages!.spikes)
    }
    let start = ContinuousClock.now
    defer { profile?.add(.neuron, of: name, since: start) }
    if keepsPrevious { tape.push(membrane) }
    // Nobody else holds the membrane potential of the last time step: this one may replace it.
    let isFree = isKnownUniquelyReferenced(&membrane)
    let (previous, shape) = (membrane, x.tensor.shape)
    let next =
      isFree
      ? membrane!
      : Membrane(shape, hasComplement: specification.kind == .clif, in: tape.arena)
    var dynamics = dynamics
    var spikes: Spikes
    if let stabilizer {
      dynamics.charge(
        x.tensor, affine, previous: previous, next: next, centered: centered, mean: mean)
      dynamics.threshold = stabilizer.threshold(of: next, first: threshold)
      spikes = dynamics.fire(next, amplitude: amplitude, in: tape.arena)
    } else {
      spikes = dynamics.forward(
        x.tensor, affine, previous: previous, next: next, amplitude: amplitude, in: tape.arena,
        centered: centered, mean: mean)
    }
    if tape.isUnrolled { spikes = spikes.unrolled(in: tape.arena) }
    spikeCounts.append(spikes.count)
    neuronSteps += shape.count
    fired?.add(spikes)
    membrane = next
    tape.push(next)
    if case .gathering(let timesteps)? = tape.averaging {
      averages = averages ?? FiringAverages(shape, of: dynamics, in: tape.arena)
      dynamics.average(next, into: averages!, amplitude: amplitude, timesteps: timesteps)
    }
    return .spikes(spikes)
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
        &g.value.tensor, more: more, amplitude: amplitude, by: step, input: x,
        mean: statistics.mean, sums: normalization.sums)
      profile?.add(.neuron, of: name, since: start)
      let normStart = ContinuousClock.now
      normalization.backward(
        &g.value.tensor, input: x, statistics: statistics, rounding: roundsGradients)
      profile?.add(.norm, of: name, since: normStart)
    } else {
      let step = popStep(dropout, &tape)
      decayGradient = dynamics.backward(
        &g.value.tensor, amplitude: amplitude, by: step, scale: scaling.scale, skip: skip,
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

  private func popStep(
    _ dropout: DropoutMask?, _ tape: inout Tape
  ) -> MembraneDynamics.Backward {
    if tape.averaging == .passing { return .averages(averages!, dropout) }
    let membrane = tape.popMembrane()!
    let previous = keepsPrevious ? tape.popMembrane() : nil
    let later = membraneGradient
    membraneGradient =
      tape.hasEarlierStep
      ? later
        ?? Membrane(
          membrane.shape, hasComplement: membrane.complement != nil, in: tape.arena)
      : nil
    return .step(
      MembraneDynamics.Step(
        membrane: membrane, previous: previous, laterGradient: later,
        earlierGradient: membraneGradient, dropout: dropout))
  }

  var summary: LayerSummary {
    let floats = shape.count * 4
    let isComplementary = specification.kind == .clif
    let membraneBytes = floats * (isComplementary ? 2 : 1)
    let inputBytes = normalization == nil ? 0 : keepsRounded ? floats / 2 : floats
    let kind = normalization.map { "\($0.kind) + " } ?? ""
    return LayerSummary(
      name: name, kind: kind + specification.kind.rawValue, output: shape,
      parameters: (tauParameter?.count ?? 0)
        + (normalization.map { $0.weight.count + $0.bias.count } ?? 0),
      stateBytes: membraneBytes,
      // u[t], x[t] for the normalisation, u[t-1] where the backward pass wants it.
      tapeBytes: membraneBytes + inputBytes + (keepsPrevious ? membraneBytes : 0),
      averagesBytes: FiringAverages.bytes(shape, of: specification.dynamics())
        + (normalization == nil ? 0 : floats))
  }
}

private func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
