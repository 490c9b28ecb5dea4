import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct ResidualTests {
  static let shape = Shape(n: 2, h: 4, w: 3, c: 5)
  static let bases = ResidualBase.allCases

  private let bench = LayerBench()
  private let window = SlidingWindow(kernel: 3, padding: 1)

  private func convolution(_ name: String) -> Convolution2D {
    Convolution2D(
      name, input: Self.shape, outputs: Self.shape.c, window, bias: .constant(0),
      reads: .init(.floats),
      bench.builder)
  }

  @Test(arguments: bases, [true, false])
  func gradientsAreFiniteDifferences(_ base: ResidualBase, _ hasShortcut: Bool) {
    let layers = ["a", "b", "c"].map(convolution)
    let residual = Residual(
      branch: Array(layers[..<2]), shortcut: hasShortcut ? layers[2] : nil, base: base)
    bench.complete()
    let (x, probe) = (view(randomFloats(Self.shape.count, seed: 2)), Probe(Self.shape.count))
    func value() -> Double {
      for layer in layers { layer.weightsDidChange() }
      return probe.value(
        residual.output(.floats(Self.shape, x.elements, in: bench.arena), in: bench.arena))
    }
    let numerical = (
      x: numericalGradient(x, of: value),
      weights: layers.map { numericalGradient($0.weight.values, of: value) }
    )
    for layer in layers { layer.weightsDidChange() }
    let gx = residual.gradient(
      probe.factors, input: .floats(Self.shape, x.elements, in: bench.arena), in: bench.arena)
    expectClose(gx, numerical.x, tolerance: 2e-3, "x")
    for (layer, expected) in zip(layers, numerical.weights) {
      expectClose(layer.weight.gradient.elements, expected, tolerance: 2e-3, layer.name)
    }
  }

  /// Spikes pass by the branch as the values that they stand for.
  @Test(arguments: bases, planeAmplitudes)
  func spikesAreAddedToTheBranch(_ base: ResidualBase, _ amplitudes: [Float]) {
    let layers = [
      Convolution2D(
        "a", input: Self.shape, outputs: Self.shape.c, window, bias: nil, bench.builder),
      convolution("b"),
    ]
    let residual = Residual(branch: layers, shortcut: nil, base: base)
    bench.complete()
    for layer in layers { layer.weightsDidChange() }
    let arena = bench.arena
    let spikes = Signal.spikes(Self.shape, planes: amplitudes, in: arena)
    let values = planeValues(Self.shape.count, amplitudes)
    let inner = layers[0].output(spikes.shared(), in: arena)
    let branch = layers[1].output(.floats(Self.shape, inner, in: arena), in: arena)
    let y = residual.output(spikes.shared(), in: arena)
    expectClose(y, zip(branch, values).map { $0 + $1 }, "y")

    let gy = randomFloats(Self.shape.count, seed: 3)
    let past = layers[0].gradient(
      layers[1].gradient(gy, input: .floats(Self.shape, inner, in: arena), in: arena),
      input: spikes.shared(), in: arena)
    expectClose(
      residual.gradient(gy, input: spikes, in: arena), zip(past, gy).map { $0 + $1 }, "gradient")
  }

  private func identity(of signal: borrowing Signal) -> ObjectIdentifier? {
    switch signal {
    case .floats(let x): ObjectIdentifier(x)
    case .spikes: nil
    }
  }

  @Test func theInputIsWrittenToOnlyWhereNobodyElseOwnsIt() {
    let layers = ["a", "b"].map(convolution)
    let residual = Residual(branch: layers, shortcut: nil, base: .shortcut)
    bench.complete()
    for layer in layers { layer.weightsDidChange() }
    var tape = Tape(arena: bench.arena)
    tape.isRecording = false
    let elements = randomFloats(Self.shape.count, seed: 2)
    let owned = SharedTensor(Tensor(Self.shape, elements, in: bench.arena))
    let apart = residual.forward(.floats(owned), &tape).floats()
    #expect(owned.tensor.elements == elements && apart !== owned)

    let given = Signal.floats(Self.shape, elements, in: bench.arena)
    let identity = identity(of: given)
    let inPlace = residual.forward(given, &tape).floats()
    #expect(ObjectIdentifier(inPlace) == identity)
    #expect(inPlace.tensor.elements == apart.tensor.elements)
  }
}
