import Tensors

/// What the backward pass needs of the forward pass, last in, first out.
///
/// Under SLTT it never holds more than one time step, whatever their number; under BPTT it holds all.
/// Nothing but the order of `forward` and `backward` calls decides which: no layer knows the rule.
public struct Tape: ~Copyable {
  /// Where activations live.
  public let arena: Arena
  /// Whether batch norm uses batch statistics and dropout drops.
  public var isTraining = true
  /// Whether what is pushed is kept; off, it is dropped at once.
  public var isRecording = true
  /// Whether neurons fire the spikes of a time step one by one, each in a plane of its own.
  var isUnrolled = false
  /// What rate-based learning does: `nil` for the other rules.
  var averaging: Averaging?
  /// Whether layers keep the trace of their input spikes in place of the spikes.
  var isTracing = false
  private var traces = Traces()
  /// Recorded time steps whose backward pass is to come.
  public private(set) var pendingSteps = 0
  /// Bytes held now.
  public private(set) var bytes = 0
  /// The most bytes held at once.
  public private(set) var peakBytes = 0
  private var entries = Stack<TapeEntry>()
  /// How many entries hold an object.
  private var holders: [ObjectIdentifier: Int] = [:]

  public init(arena: Arena) {
    self.arena = arena
  }

  /// A new sequence of time steps starts.
  mutating func beginSequence() { traces = Traces() }

  /// Whether the time step that is being back-propagated has a predecessor in its window, to which
  /// gradient flows through the membrane potential.
  public var hasEarlierStep: Bool { pendingSteps > 1 }

  /// Announces that a time step's forward pass starts.
  mutating func beginStep() {
    if isRecording { pendingSteps += 1 }
  }

  /// Says that a time step's backward pass has ended.
  mutating func endStep() {
    pendingSteps -= 1
    precondition(pendingSteps > 0 || entries.isEmpty, "a layer left something on the tape")
  }

  /// Room that nobody else has.
  mutating func push(_ tensor: consuming Tensor) {
    guard isRecording else { return }
    hold(tensor.bytes)
    entries.push(.tensor(tensor))
  }

  mutating func push(_ shared: SharedTensor) {
    guard isRecording else { return }
    hold(shared, bytes: shared.tensor.bytes)
    entries.push(.shared(shared))
  }

  mutating func push(_ membrane: Membrane?) {
    guard isRecording else { return }
    if let membrane { hold(membrane, bytes: membrane.bytes) }
    entries.push(.membrane(membrane))
  }

  mutating func push(_ spikes: Spikes) {
    guard isRecording else { return }
    for plane in spikes.planes { hold(plane, bytes: plane.spikes.bytes) }
    entries.push(.spikes(spikes))
  }

  /// Keeps what the gradient of a layer's weights needs of its input: the input itself, or the trace of
  /// the spikes that it comes from. This is the one place that decides it, for all layers with weights.
  mutating func pushInput(_ x: consuming Signal, of layer: some WeightedLayer) {
    guard isTracing, let neuron = layer.source else { return pushInput(x) }
    push(traces.add(x, of: layer, decay: neuron.decay, in: arena))
  }

  /// Keeps the input itself.
  mutating func pushInput(_ x: consuming Signal) {
    switch consume x {
    case .floats(let x): push(x)
    case .spikes(let x): push(x)
    }
  }

  mutating func push(_ input: NormalizationInput) {
    guard isRecording else { return }
    switch input {
    case .exact(let x): hold(x, bytes: input.bytes)
    case .centered: hold(input.bytes)
    }
    entries.push(.normalizationInput(input))
  }

  mutating func popTensor() -> Tensor {
    guard case .tensor(let tensor) = entries.pop() else { outOfOrder() }
    bytes -= tensor.bytes
    return tensor
  }

  mutating func popMembrane() -> Membrane? {
    guard case .membrane(let membrane) = entries.pop() else { outOfOrder() }
    if let membrane { release(membrane, bytes: membrane.bytes) }
    return membrane
  }

  /// What `pushInput` kept.
  mutating func popInput() -> Signal {
    switch entries.pop() {
    case .shared(let x):
      release(x, bytes: x.tensor.bytes)
      return .floats(x)
    case .spikes(let x):
      release(x)
      return .spikes(x)
    default: outOfOrder()
    }
  }

  mutating func popNormalizationInput() -> NormalizationInput {
    guard case .normalizationInput(let input) = entries.pop() else { outOfOrder() }
    switch input {
    case .exact(let x): release(x, bytes: input.bytes)
    case .centered: bytes -= input.bytes
    }
    return input
  }

  private mutating func release(_ spikes: Spikes) {
    for plane in spikes.planes { release(plane, bytes: plane.spikes.bytes) }
  }

  /// What several layers have left here counts once.
  private mutating func hold(_ object: AnyObject, bytes: Int) {
    holders[ObjectIdentifier(object), default: 0] += 1
    if holders[ObjectIdentifier(object)] == 1 { hold(bytes) }
  }

  private mutating func release(_ object: AnyObject, bytes: Int) {
    let others = holders[ObjectIdentifier(object)]! - 1
    holders[ObjectIdentifier(object)] = others == 0 ? nil : others
    if others == 0 { self.bytes -= bytes }
  }

  private mutating func hold(_ count: Int) {
    bytes += count
    peakBytes = max(peakBytes, bytes)
  }

  private func outOfOrder() -> Never {
    fatalError("backward passes must come in the reverse order of forward passes")
  }
}

enum TapeEntry: ~Copyable {
  case tensor(Tensor)
  case spikes(Spikes)
  case shared(SharedTensor)
  case membrane(Membrane?)
  case normalizationInput(NormalizationInput)
}
