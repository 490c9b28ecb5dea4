import Tensors
import TestSupport

@testable import SpikingNetworks

/// A normalisation on its own.
struct NormalizationBench<Norm: Normalization> {
  let layers: LayerBench
  let norm: Norm
  let shape: Shape

  var arena: Arena { layers.arena }
  /// Running mean and variance.
  var statistics: [[Float]] { layers.builder.statistics.map(\.values.elements) }

  /// - Parameter neuron: of layers that are built besides.
  init(
    shape: Shape = Shape(n: 3, h: 2, w: 4, c: 5), neuron: NeuronSpecification = .init(),
    _ make: (_ name: String, _ channels: Int, NetworkBuilder) -> Norm
  ) {
    self.shape = shape
    layers = LayerBench(neuron: neuron)
    norm = make("bn", shape.c, layers.builder)
    layers.complete()
    layers.builder.statistics[0].values.assign(randomFloats(shape.c, seed: 5))
  }

  func tape(isTraining: Bool = true) -> Tape {
    var tape = Tape(arena: arena)
    tape.isTraining = isTraining
    return tape
  }

  /// Values whose channels differ in mean and deviation.
  func values(seed: Int, samples: Int? = nil) -> [Float] {
    let shape = samples.map(shape.withSamples) ?? shape
    return randomFloats(shape.count, seed: seed).enumerated().map {
      let c = Float($0 % shape.c)
      return $1 * (1 + c) + 3 * c
    }
  }

  /// As many samples as there are values for.
  func tensor(_ x: [Float]) -> SharedTensor {
    let samples = x.count / shape.withSamples(1).count
    return SharedTensor(Tensor(shape.withSamples(samples), x, in: arena))
  }

  /// `scale x + shift`, which the neuron computes.
  func normalised(_ x: SharedTensor, _ tape: inout Tape) -> [Float] {
    let affine = norm.forward(x, &tape)
    return x.tensor.elements.enumerated().map {
      affine.scale[$0 % shape.c] * $1 + affine.shift[$0 % shape.c]
    }
  }

  func normalised(_ x: [Float], _ tape: inout Tape) -> [Float] { normalised(tensor(x), &tape) }

  /// dL/dx from dL/dy of the latest time step; adds to the parameters' gradients.
  func gradient(_ gy: [Float], input x: [Float], _ tape: inout Tape) -> [Float] {
    let g = tensor(gy)
    let statistics = norm.popStatistics(&tape)
    norm.sums.takeProducts(ofRows: view(gy), with: view(x), mean: statistics.mean)
    norm.backward(
      &g.tensor, input: .exact(tensor(x)), statistics: statistics, rounding: false)
    return g.tensor.elements
  }

  /// Mean and biased variance of each channel.
  func moments(_ x: [Float]) -> [(mean: Double, variance: Double)] {
    (0..<shape.c).map { c in
      let own = stride(from: c, to: x.count, by: shape.c).map { Double(x[$0]) }
      let mean = own.reduce(0, +) / Double(own.count)
      return (mean, own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(own.count))
    }
  }
}
