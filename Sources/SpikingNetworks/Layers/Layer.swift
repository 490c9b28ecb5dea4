import Tensors

/// What random choices of an iteration depend on.
public struct IterationContext: Sendable {
  /// The run's seed.
  public var seed: UInt64
  /// Number of the iteration since the run's start.
  public var iteration: Int
  /// Place of the first local sample in the global batch.
  public var sampleOffset: Int

  public init(seed: UInt64 = 0, iteration: Int = 0, sampleOffset: Int = 0) {
    self.seed = seed
    self.iteration = iteration
    self.sampleOffset = sampleOffset
  }
}

/// A part of a network that holds parameters or state. Layers are classes: they have an identity and
/// state, and are never copied.
public protocol Layer: AnyObject {
  /// What it is, for people.
  var summary: LayerSummary { get }

  /// Weights have new values: copies made of them are stale.
  func weightsDidChange()

  /// A new sequence of time steps starts: membrane potentials are at rest, dropout draws anew.
  func beginSequence(_ context: IterationContext)

  /// All backward passes of the sequence are done: turns what they summed up into gradients.
  func completeGradients()
}

extension Layer {
  public func weightsDidChange() {}
  public func beginSequence(_ context: IterationContext) {}
  public func completeGradients() {}
}

/// A layer in figures, for one sample and one time step.
public struct LayerSummary: Sendable {
  /// Path in the published model, such as `layer1.0.conv1`.
  public var name: String
  /// What kind of layer it is, such as `conv 3x3`.
  public var kind: String
  /// Of one sample.
  public var output: Shape
  /// Number of parameters.
  public var parameters = 0
  /// Multiplications with addition in the forward pass.
  public var macs = 0
  /// Bit planes of the spikes that come into a layer with weights; 0: floats do.
  public var inputPlanes = 0
  /// Bytes of state that pass from one time step to the next.
  public var stateBytes = 0
  /// Bytes that a recorded time step adds to the tape, the membrane potential included.
  public var tapeBytes = 0
  /// Bytes of the trace of its input, where a learning rule keeps one.
  public var traceBytes = 0
  /// Bytes of gradients by the input itself, where a learning rule keeps its trace.
  public var untracedBytes = 0
  /// Bytes of averages over time, where a learning rule takes some, and of what its one backward pass needs
  /// besides.
  public var averagesBytes = 0
  /// Whether the tape holds the state, so that it takes no memory besides.
  public var tapeHoldsState = true
}
