import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

/// Expects a difference of at most `tolerance` times the largest expected entry.
func expectClose(
  _ actual: [Float], _ expected: [Float], tolerance: Float = 1e-5, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.count == expected.count, "\(what)", sourceLocation: sourceLocation)
  let largest = expected.reduce(0) { max($0, abs($1)) }
  // Not a number differs from everything.
  let differing = zip(actual, expected).enumerated().first {
    !(abs($0.element.0 - $0.element.1) <= tolerance * largest)
  }
  guard let differing else { return }
  Issue.record(
    """
    \(what): element \(differing.offset) is \(differing.element.0) instead of \
    \(differing.element.1), the largest being \(largest)
    """, sourceLocation: sourceLocation)
}

/// Derivatives of `value` with respect to the elements of `place`, by central differences.
func numericalGradient(
  _ place: FloatView, step: Float = 1e-2, of value: () -> Double
) -> [Float] {
  (0..<place.count).map { index in
    let before = place[index]
    place[index] = before + step
    let above = value()
    place[index] = before - step
    let below = value()
    place[index] = before
    return Float((above - below) / Double(2 * step))
  }
}

/// A linear function of some elements: the sum of their products with fixed random factors.
struct Probe {
  let factors: [Float]

  init(_ count: Int, seed: Int = 99) { factors = randomFloats(count, seed: seed) }

  func value(_ elements: [Float]) -> Double {
    zip(factors, elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
}

/// Amplitudes of the planes of some spikes.
let planeAmplitudes: [[Float]] = [[1.5], [1, 2], [0.5, 3, 1.25]]

/// What spikes of such planes stand for.
func planeValues(_ count: Int, _ amplitudes: [Float]) -> [Float] {
  (0..<count).map { index in
    amplitudes.enumerated().reduce(0) { $0 + (index % ($1.offset + 3) == 0 ? $1.element : 0) }
  }
}

extension Signal {
  static func floats(_ shape: Shape, _ elements: [Float], in arena: Arena) -> Signal {
    .floats(SharedTensor(Tensor(shape, elements, in: arena)))
  }

  /// Spikes where `isSpike` says so.
  static func spikes(
    _ shape: Shape, amplitude: Float, in arena: Arena, where isSpike: (Int) -> Bool
  ) -> Signal {
    .spikes(Spikes(SpikeTensor(shape, amplitude: amplitude, in: arena, where: isSpike)))
  }

  /// Spikes of planes of these amplitudes: every third element of the first, every fourth of the next.
  static func spikes(_ shape: Shape, planes amplitudes: [Float], in arena: Arena) -> Signal {
    .spikes(
      Spikes(
        planes: amplitudes.enumerated().map { plane, amplitude in
          SharedSpikes(
            SpikeTensor(shape, amplitude: amplitude, in: arena) { $0 % (plane + 3) == 0 })
        }))
  }
}

extension Node {
  /// The output as floats; what the tape holds afterwards does not count.
  func output(_ x: consuming Signal, in arena: Arena, isTraining: Bool = true) -> [Float] {
    var tape = Tape(arena: arena)
    (tape.isRecording, tape.isTraining) = (false, isTraining)
    switch forward(x, &tape) {
    case .floats(let y): return y.tensor.elements
    case .spikes(let y): return y.unpacked(in: arena).elements
    }
  }

  /// The gradient of the input, given that of the output; adds to the parameters' gradients.
  func gradient(_ gy: [Float], input x: consuming Signal, in arena: Arena) -> [Float] {
    var tape = Tape(arena: arena)
    let shape =
      switch forward(x, &tape) {
      case .floats(let y): y.tensor.shape
      case .spikes(let y): y.shape
      }
    var g = backward(Gradient(Tensor(shape, gy, in: arena)), &tape)
    g.settle(in: arena)
    return g.value.tensor.elements
  }
}

/// What single layers are built with, and where their parameters end up.
final class LayerBench {
  let arena = Arena(capacity: 64 << 20)
  let builder: NetworkBuilder
  private(set) var store: ParameterStore?

  init(
    dropout: Float = 0, neuron: NeuronSpecification = .init(),
    _ backend: ConvolutionBackend = .oneDNN
  ) {
    builder = NetworkBuilder(
      NetworkSpecification(
        family: .vgg, blocks: [1], classes: 2, imageSize: 8, dropout: dropout, neuron: neuron),
      backend: backend, arena: arena)
  }

  /// Gives the layers' parameters values: random ones around their initial ones.
  func complete(seed: Int = 1) {
    let store = ParameterStore(
      parameters: builder.parameters, statistics: builder.statistics, seed: UInt64(seed))
    let noise = randomFloats(store.weights.count, seed: seed)
    store.weights.all.assign(zip(store.weights.all.elements, noise).map { $0 + 0.5 * $1 })
    self.store = store
  }
}

extension LossSpecification {
  /// Of the default kind, or of the only one that is defined for the rule.
  init(for rule: LearningRule) {
    self.init(kind: rule.takesAverages ? .lossOfMean : .meanOfLosses)
  }
}
