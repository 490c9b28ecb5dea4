import Tensors

/// Drops elements in training, the same ones at all time steps of an iteration, and scales the others by
/// 1 / (1 - probability). [N, H, W, C] to the same shape.
///
/// The mask is a pure function of (seed, iteration, place in the global batch), so that it does not
/// depend on the number of ranks. Spikes stay spikes: they get the scale as their amplitude.
final class Dropout: Layer {
  let name: String
  let probability: Float
  private let number: Int
  private let shape: Shape
  private let dropsSpikes: Bool
  private let profile: StepProfile?
  private var context = IterationContext()
  private var drawn: DropoutMask?

  /// - Parameters:
  ///   - number: tells the layers of a network apart.
  ///   - input: of one sample.
  ///   - dropsSpikes: whether the input is spikes; else floats.
  init(
    _ name: String, number: Int, input: Shape, probability: Float, dropsSpikes: Bool = true,
    profile: StepProfile? = nil
  ) {
    precondition(probability >= 0 && probability < 1)
    self.name = name
    self.number = number
    self.probability = probability
    shape = input
    self.dropsSpikes = dropsSpikes
    self.profile = profile
  }

  func beginSequence(_ context: IterationContext) {
    self.context = context
    drawn = nil
  }

  func forward(_ x: borrowing SpikeTensor, _ tape: inout Tape) -> SpikeTensor {
    let start = ContinuousClock.now
    defer { profile?.add(.dropout, of: name, since: start) }
    return mask(samples: x.shape.n, tape)?.kept(of: x, in: tape.arena)
      ?? x.copy(amplitude: x.amplitude, in: tape.arena)
  }

  func forward(_ x: consuming Tensor, _ tape: inout Tape) -> Tensor {
    backward(x, tape)
  }

  /// dL/dx from dL/dy, for floats; of spikes, the neurons take the gradient through the mask.
  func backward(_ gy: consuming Tensor, _ tape: borrowing Tape) -> Tensor {
    let start = ContinuousClock.now
    defer { profile?.add(.dropout, of: name, since: start) }
    var g = gy
    mask(samples: g.shape.n, tape)?.apply(to: &g)
    return g
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
    let bytes = shape.pixels * SpikeTensor.wordsPerPixel(channels: shape.c) * 8
    return LayerSummary(
      name: name, kind: "dropout \(probability)", output: shape, stateBytes: bytes,
      tapeBytes: dropsSpikes ? bytes : 0, tapeHoldsState: false)
  }
}
