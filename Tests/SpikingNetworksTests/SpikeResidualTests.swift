import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct SpikeResidualTests {
  static let shape = Shape(n: 2, h: 4, w: 3, c: 5)

  private let bench = LayerBench(neuron: NeuronSpecification(threshold: 0.25))
  private var arena: Arena { bench.arena }

  /// Ways of a convolution and neurons each, whose spikes stand for the amplitudes.
  private func ways(_ amplitudes: [Float]) -> [[any Node]] {
    let ways = amplitudes.enumerated().map { way, amplitude -> [any Node] in
      [
        Convolution2D(
          "conv\(way)", input: Self.shape, outputs: Self.shape.c,
          SlidingWindow(kernel: 3, padding: 1), bias: .constant(0), bench.builder),
        LIFNeuron("sn\(way)", input: Self.shape, amplitude: amplitude, bench.builder),
      ]
    }
    bench.complete()
    for node in ways.joined() { (node as? any Layer)?.weightsDidChange() }
    return ways
  }

  private struct Passes {
    /// Of the output, where it is spikes.
    var planes: Int?
    var levels: Int?
    var y, gx, weightGradients: [Float]
  }

  /// A time step through nodes, forward and backward.
  private func pass(
    _ x: consuming Signal, through nodes: [any Node], restarting way: [any Node]
  ) -> Passes {
    for node in way { (node as? any Layer)?.beginSequence(IterationContext()) }
    bench.store!.gradients.fill(0)
    var tape = Tape(arena: arena)
    var y = x
    for node in nodes { y = node.forward(y, &tape) }
    var passes = Passes(y: y.values(in: arena).tensor.elements, gx: [], weightGradients: [])
    if case .spikes(let spikes) = y {
      (passes.planes, passes.levels) = (spikes.planes.count, spikes.levels)
    }
    var g = Gradient(Tensor(Self.shape, Probe(Self.shape.count).factors, in: arena))
    for node in nodes.reversed() { g = node.backward(g, &tape) }
    g.settle(in: arena)
    passes.gx = g.value.tensor.elements
    passes.weightGradients = bench.store!.gradients.elements
    #expect(tape.bytes == 0)
    return passes
  }

  /// Both ways give what they give alone, and sums of equal spikes are numbers.
  @Test(arguments: [[1, 1], [1, 2], [2.5]] as [[Float]])
  func outputAndGradientsAreSumsOfBothWays(_ amplitudes: [Float]) {
    let ways = ways(amplitudes)
    let residual = SpikeResidual(branch: ways[0], shortcut: ways.count > 1 ? ways[1] : [])
    // The shortcut without layers passes the input itself on: spikes of amplitude 1.
    let both = [amplitudes[0], amplitudes.count > 1 ? amplitudes[1] : 1]
    func input() -> Signal { .spikes(Self.shape, amplitude: 1, in: arena) { $0 % 3 == 0 } }
    let together = pass(input(), through: [residual], restarting: Array(ways.joined()))
    let branch = pass(input(), through: ways[0], restarting: ways[0])
    let shortcut = pass(
      input(), through: ways.count > 1 ? ways[1] : [], restarting: Array(ways.joined()))

    #expect(branch.y.contains { $0 > 0 } && branch.y.contains(0))
    expectClose(together.y, zip(branch.y, shortcut.y).map { $0 + $1 }, tolerance: 0, "y")
    #expect(together.planes == 2 && together.levels == (both[0] == both[1] ? 2 : nil))
    expectClose(together.gx, zip(branch.gx, shortcut.gx).map { $0 + $1 }, "gradient")
    expectClose(
      together.weightGradients,
      zip(branch.weightGradients, shortcut.weightGradients).map { $0 + $1 }, "weights")
    #expect(branch.weightGradients.contains { $0 != 0 })
  }

  /// Floats that pass by are added as they are, and stay as they are for others.
  @Test func floatsPassByTheBranch() {
    let neuron = LIFNeuron("sn", input: Self.shape, amplitude: 2, bench.builder)
    bench.complete()
    let elements = randomFloats(Self.shape.count, seed: 1)
    let x = SharedTensor(Tensor(Self.shape, elements, in: arena))
    let y = pass(
      .floats(x), through: [SpikeResidual(branch: [neuron], shortcut: [])], restarting: [neuron])
    expectClose(y.y, elements.map { $0 + ($0 >= 0.25 ? 2 : 0) }, "y")
    #expect(y.planes == nil && x.tensor.elements == elements)
    let alone = pass(.floats(x), through: [neuron], restarting: [neuron])
    expectClose(y.gx, zip(alone.gx, Probe(Self.shape.count).factors).map { $0 + $1 }, "gradient")
  }
}
