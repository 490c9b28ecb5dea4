import Tensors
import Testing

@testable import SpikingNetworks

struct LinearTests {
  static let input = Shape(n: 3, h: 2, w: 3, c: 4)

  @Test func gradientsAreFiniteDifferences() {
    let (bench, input) = (LayerBench(), Self.input)
    let layer = Linear(
      "fc", input: input, outputs: 5, weight: .uniform(fanIn: 24), bias: .constant(0),
      bench.builder)
    bench.complete()
    let (x, probe) = (view(randomFloats(input.count, seed: 2)), Probe(15))
    func value() -> Double {
      var tape = Tape(arena: bench.arena)
      return probe.value(
        layer.forward(Tensor(input, x.elements, in: bench.arena), &tape).elements)
    }
    let numerical = (
      x: numericalGradient(x, of: value), weight: numericalGradient(layer.weight.values, of: value),
      bias: numericalGradient(layer.bias.values, of: value)
    )
    var tape = Tape(arena: bench.arena)
    _ = layer.forward(Tensor(input, x.elements, in: bench.arena), &tape)
    let gx = layer.backward(
      Tensor(Shape(n: 3, c: 5), probe.factors, in: bench.arena), &tape)
    #expect(gx.shape == input)
    expectClose(gx.elements, numerical.x, tolerance: 1e-3, "x")
    expectClose(layer.weight.gradient.elements, numerical.weight, tolerance: 1e-3, "weight")
    expectClose(layer.bias.gradient.elements, numerical.bias, tolerance: 1e-3, "bias")
  }

  /// As PyTorch's `Linear` after `Flatten` of an NCHW image.
  @Test func publishedWeightsMeetTheFlattenedImage() {
    let (bench, input) = (LayerBench(), Shape(n: 1, h: 2, w: 2, c: 3))
    let layer = Linear(
      "fc", input: input, outputs: 1, weight: .constant(0), bias: .constant(0), bench.builder)
    bench.complete()
    layer.bias.values[0] = 0
    layer.weight.assign(published: (0..<12).map { Float(1 << $0) }, to: layer.weight.values)
    for c in 0..<3 {
      for pixel in 0..<4 {
        var x = Tensor(input, [Float](repeating: 0, count: 12), in: bench.arena)
        x[pixel * 3 + c] = 1
        var tape = Tape(arena: bench.arena)
        #expect(layer.forward(x, &tape)[0] == Float(1 << (c * 4 + pixel)))
      }
    }
  }
}
