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
  private var context = IterationContext()
  private var mask: SharedSpikes?

  private final class SharedSpikes {
    let spikes: SpikeTensor
    init(_ spikes: consuming SpikeTensor) { self.spikes = spikes }
  }

  /// - Parameters:
  ///   - number: tells the layers of a network apart.
  ///   - input: of one sample.
  ///   - dropsSpikes: whether the input is spikes; else floats.
  init(
    _ name: String, number: Int, input: Shape, probability: Float, dropsSpikes: Bool = true
  ) {
    precondition(probability >= 0 && probability < 1)
    self.name = name
    self.number = number
    self.probability = probability
    shape = input
    self.dropsSpikes = dropsSpikes
  }

  func beginSequence(_ context: IterationContext) {
    self.context = context
    mask = nil
  }

  func forward(_ x: borrowing SpikeTensor, _ tape: inout Tape) -> SpikeTensor {
    guard isActive(tape) else { return x.copy(amplitude: x.amplitude, in: tape.arena) }
    var y = x.copy(amplitude: x.amplitude / (1 - probability), in: tape.arena)
    y.formIntersection(mask(samples: x.shape.n, tape.arena).spikes)
    return y
  }

  func forward(_ x: consuming Tensor, _ tape: inout Tape) -> Tensor {
    backward(x, tape)
  }

  /// dL/dx from dL/dy.
  func backward(_ gy: consuming Tensor, _ tape: borrowing Tape) -> Tensor {
    var g = gy
    if isActive(tape) {
      g.mask(mask(samples: g.shape.n, tape.arena).spikes, scale: 1 / (1 - probability))
    }
    return g
  }

  private func isActive(_ tape: borrowing Tape) -> Bool { tape.isTraining && probability > 0 }

  private func mask(samples: Int, _ arena: Arena) -> SharedSpikes {
    if let mask { return mask }
    let (context, number) = (context, number)
    let fresh = SharedSpikes(
      SpikeTensor(
        random: shape.withSamples(samples), probability: 1 - probability, in: arena
      ) { sample in
        // Layers take their own 2^24 samples of the index.
        RandomStream(
          seed: context.seed, purpose: .dropout, time: context.iteration,
          index: number << 24 | (context.sampleOffset + sample))
      })
    mask = fresh
    return fresh
  }

  var summary: LayerSummary {
    let bytes = shape.pixels * SpikeTensor.wordsPerPixel(channels: shape.c) * 8
    return LayerSummary(
      name: name, kind: "dropout \(probability)", output: shape, stateBytes: bytes,
      tapeBytes: dropsSpikes ? bytes : 0, tapeHoldsState: false)
  }
}
