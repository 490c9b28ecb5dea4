import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct MaxPoolTests {
  static let input = Shape(n: 2, h: 5, w: 5, c: 3)
  private static let window = SlidingWindow(kernel: 3, stride: 2, padding: 1)

  private let bench = LayerBench()
  private var arena: Arena { bench.arena }

  private func layer(reads input: LayerInput) -> MaxPool {
    MaxPool(
      "pool", MaxPooling(input: Self.input, window: Self.window), reads: input, bench.builder)
  }

  @Test func gradientsAreFiniteDifferences() {
    let layer = layer(reads: .init(.floats))
    let output = layer.output.withSamples(2)
    #expect(output == Shape(n: 2, h: 3, w: 3, c: 3))
    // No two of an image are as near as the differences' steps.
    let values = (0..<Self.input.count).map { Float($0 * 67 % 150) / 10 }
    let (x, probe) = (view(values), Probe(output.count))
    let expected = numericalGradient(x) {
      probe.value(layer.output(.floats(Self.input, x.elements, in: arena), in: arena))
    }
    let gx = layer.gradient(
      probe.factors, input: .floats(Self.input, values, in: arena), in: arena)
    expectClose(gx, expected, tolerance: 1e-3, "x")
  }

  /// Numbers of spikes stay such; sums of unlike spikes are compared by what they stand for. The tape holds
  /// what the summary says.
  @Test(arguments: [(1, [2]), (3, [2, 4]), (nil, [2, 2.5])] as [(Int?, [Float])])
  func spikesArePooledByTheirValues(_ levels: Int?, _ amplitudes: [Float]) {
    let layer = layer(reads: .init(.spikes, levels: levels ?? 2))
    guard case .spikes(let spikes) = Signal.spikes(Self.input, planes: amplitudes, in: arena) else {
      return
    }
    let x = Spikes(planes: spikes.planes, levels: levels)
    let values = planeValues(Self.input.count, amplitudes)
    let floats = Signal.floats(Self.input, values, in: arena)
    expectClose(
      layer.output(.spikes(x), in: arena), layer.output(floats.shared(), in: arena),
      tolerance: 0, "y")
    let gy = Probe(layer.output.withSamples(2).count).factors
    expectClose(
      layer.gradient(gy, input: .spikes(x), in: arena),
      layer.gradient(gy, input: floats, in: arena), tolerance: 0, "gradient")

    var tape = Tape(arena: arena)
    switch layer.forward(.spikes(x), &tape) {
    case .spikes(let y): #expect(y.levels == levels && levels != nil)
    case .floats: #expect(levels == nil)
    }
    if levels != nil { #expect(tape.bytes == 2 * layer.summary.tapeBytes) }
    #expect(tape.bytes > 0)
  }
}
