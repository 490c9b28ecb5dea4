import Tensors

/// Drops elements in training, the same ones at all time steps of an iteration, and scales the others by
/// 1 / (1 - probability). [N, H, W, C] to the same shape.
///
/// The mask is a pure function of (seed, iteration, place in the global batch), so that it does not
/// depend on the number of ranks. Spikes stay spikes: their amplitudes are scaled.
final class Dropout: Layer, Node {
  let name: String
  let probability: Float
  private let number: Int
  private let shape: Shape
  private let profile: StepProfile?
  private var context = IterationContext()
  private var drawn: DropoutMask?

  /// - Parameters:
  ///   - number: tells the layers of a network apart.
  ///   - input: of one sample.
  init(
    _ name: String, number: Int, input: Shape, probability: Float, profile: StepProfile? = nil
  ) {
    precondition(probability >= 0 && probability < 1)
    self.name = name
    self.number = number
    self.probability = probability
    shape = input
    self.profile = profile
  }

  func beginSequence(_ context: IterationContext) {
    self.context = context
    drawn = nil
  }

  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    guard let mask = mask(samples: x.shape.n, tape) else { return x }
    let start = ContinuousClock.now
    defer { profile?.add(.dropout, of: name, since: start) }
    switch consume x {
    case .spikes(let x): return .spikes(mask.kept(of: x, in: tape.arena))
    case .floats(var x):
      SharedTensor.makeUnique(&x, in: tape.arena)
      mask.apply(to: &x.tensor)
      return .floats(x)
    }
  }

  /// Neurons take the gradient through the mask in their own pass.
  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient {
    var gradient = gradient
    gradient.settle(in: tape.arena)
    gradient.dropout = mask(samples: gradient.value.tensor.shape.n, tape)
    return gradient
  }

  /// The iteration's mask; nil where nothing is dropped.
  func mask(samples: Int, _ tape: borrowing Tape) -> DropoutMask? {
    guard tape.isTraining && probability > 0 else { return nil }
    if let drawn { return drawn }
    let (context, number) = (context, number)
    drawn = DropoutMask(
      shape.withSamples(samples), probability: probability, in: tape.arena
    ) { sample in
      // Layers take their own 2^24 samples of the index.
      RandomStream(
        seed: context.seed, purpose: .dropout, time: context.iteration,
        index: number << 24 | (context.sampleOffset + sample))
    }
    return drawn
  }

  var summary: LayerSummary {
    LayerSummary(
      name: name, kind: "dropout \(probability)", output: shape,
      stateBytes: SpikeTensor.bytes(shape),
      averagesBytes: shape.count * 4, tapeHoldsState: false)
  }
}
