import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct TracesTests {
  private let shape = Shape(n: 2, h: 3, w: 2, c: 5)
  private let bench = LayerBench()
  private var arena: Arena { bench.arena }

  private func layer(_ name: String, reads input: LayerInput) -> Linear {
    Linear(
      name, input: shape, outputs: 2, weight: .constant(0), bias: .constant(0), reads: input,
      bench.builder)
  }

  /// Of floats, and of spikes of one or several planes.
  @Test(arguments: [[]] + planeAmplitudes) func aTraceIsTheDecayedSum(_ amplitudes: [Float]) {
    let layer = layer("fc", reads: .init(.spikes))
    var traces = Traces()
    var expected = [Float](repeating: 0, count: shape.count)
    for t in 0..<4 {
      let own = amplitudes.map { $0 * Float(1 + t) }
      let values =
        own.isEmpty ? randomFloats(shape.count, seed: t) : planeValues(shape.count, own)
      expected = zip(expected, values).map { 0.25 * $0 + $1 }
      do {
        let trace = traces.add(
          own.isEmpty ? .floats(shape, values, in: arena) : .spikes(shape, planes: own, in: arena),
          of: layer, decay: 0.25, in: arena)
        expectClose(trace.tensor.elements, expected, tolerance: 1e-6, "time step \(t)")
      }
      // One trace, whatever the number of time steps.
      #expect(arena.bytesInUse == 256)
    }
  }

  @Test func layersHaveTracesOfTheirOwn() {
    let (one, other) = (layer("a", reads: .init(.spikes)), layer("b", reads: .init(.spikes)))
    var traces = Traces()
    let ones = [Float](repeating: 1, count: shape.count)
    _ = traces.add(.floats(shape, ones, in: arena), of: one, decay: 0.5, in: arena)
    let second = traces.add(.floats(shape, ones, in: arena), of: other, decay: 0.5, in: arena)
    #expect(second.tensor.elements.allSatisfy { $0 == 1 })
    let third = traces.add(.floats(shape, ones, in: arena), of: one, decay: 0.5, in: arena)
    #expect(third.tensor.elements.allSatisfy { $0 == 1.5 })
  }

  /// Neither what a layer reads nor a trace that somebody holds is written to.
  @Test func whatOthersOwnStaysAsItIs() {
    let layer = layer("fc", reads: .init(.spikes))
    let input = SharedTensor(Tensor(shape, randomFloats(shape.count, seed: 1), in: arena))
    var traces = Traces()
    let held = traces.add(.floats(input), of: layer, decay: 0.5, in: arena)
    _ = traces.add(.floats(input), of: layer, decay: 0.5, in: arena)
    #expect(input.tensor.elements == randomFloats(shape.count, seed: 1))
    #expect(held !== input && held.tensor.elements == input.tensor.elements)
  }

  /// A layer that reads spikes of neurons leaves their trace on the tape, another one its input.
  @Test func theTapeHoldsTracesOfSpikes() {
    let neuron = LIFNeuron(
      "lif", input: shape, specification: NeuronSpecification(tau: 2), bench.builder)
    let traced = layer("a", reads: .init(.spikes, from: neuron))
    let untraced = layer("b", reads: .init(.floats))
    var tape = Tape(arena: arena)
    tape.isTracing = true
    for t in 1...2 {
      for layer in [traced, untraced] {
        layer.save(.spikes(shape, amplitude: 3, in: arena) { $0 % 2 == 0 }, &tape)
      }
      guard case .spikes = tape.popInput(), case .floats(let trace) = tape.popInput() else {
        Issue.record("the tape holds something else")
        return
      }
      let expected = [0, 3, 4.5][t] as Float
      #expect((0..<shape.count).allSatisfy { trace.tensor[$0] == ($0 % 2 == 0 ? expected : 0) })
    }
    // A sequence leaves nothing behind.
    tape.beginSequence()
    traced.save(.spikes(shape, amplitude: 3, in: arena) { _ in true }, &tape)
    #expect(tape.popInput().floats().tensor.elements.allSatisfy { $0 == 3 })
    #expect(tape.bytes == 0)
  }
}
