import TestSupport
import Testing

@testable import Tensors

/// Spikes of one and several planes against the definition on what they stand for.
struct ConvolutionSpikesTests {
  /// (height, width, inputs, outputs, kernel, stride, padding)
  static let geometries = [
    (7, 5, 3, 5, 3, 1, 1), (9, 8, 65, 17, 3, 2, 1), (8, 8, 64, 32, 3, 1, 1),
    (6, 7, 37, 16, 1, 1, 0), (9, 8, 16, 7, 1, 2, 0),
  ].map { h, w, inputs, outputs, kernel, stride, padding in
    ConvolutionGeometry(
      h: h, w: w, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding
    )
  }

  /// Mixed precision makes a difference to oneDNN only, where the processor knows bfloat16.
  static let backends = ConvolutionBackend.Kernels.allCases.flatMap { kernels in
    [
      ConvolutionBackend(.oneDNN, kernels: kernels), .init(.openBLAS, kernels: kernels),
      .init(.oneDNN, kernels: kernels, precision: .mixed),
    ]
  }

  @Test(arguments: geometries, backends)
  func bothPassesAddUpThePlanes(_ geometry: ConvolutionGeometry, _ backend: ConvolutionBackend) {
    for amplitudes in RandomPlanes.amplitudes {
      for threads in [1, 3] {
        withThreads(threads) { check(geometry, backend, amplitudes) }
      }
    }
  }

  private func check(
    _ geometry: ConvolutionGeometry, _ backend: ConvolutionBackend, _ amplitudes: [Float]
  ) {
    let (arena, samples) = (testArena(), 3)
    let (input, output) = (geometry.input(samples: samples), geometry.output(samples: samples))
    let convolution = backend.convolution(geometry, arena: arena)
    let planes = RandomPlanes(input, amplitudes: amplitudes, in: arena)
    // Numbers that bfloat16 holds.
    let weights = gridFloats(geometry.weightCount, seed: 1)
    let bias = gridFloats(geometry.outputChannels, seed: 2)
    let gy = gridFloats(output.count, seed: 3)
    let reference = PlainConvolution(geometry: geometry)
    // Tiles round to 16 bits of a channel's largest number.
    let mayBeTiles = backend.kernels == .auto || backend.kernels == .tiles
    let tolerance: Float = backend.effectivePrecision == .mixed && mayBeTiles ? 1e-4 : 1e-5

    let expected = reference.forward(planes.values, weights: weights, bias: bias, samples: samples)
    for isAccumulating in [false, true] {
      let start = isAccumulating ? gy : [Float](repeating: .nan, count: output.count)
      var y = Tensor(output, start, in: arena)
      convolution.forward(
        planes.spikes, weights: .init(view(weights)), bias: view(bias), into: &y,
        accumulating: isAccumulating)
      expectClose(
        y.elements, isAccumulating ? zip(expected, gy).map { $0 + $1 } : expected,
        tolerance: tolerance, "y of \(amplitudes)")
    }

    let (gw, gb) = (view(weights), view(bias))
    convolution.backwardWeights(
      planes.spikes, Tensor(output, gy, in: arena), into: gw, bias: gb)
    let gradients = reference.backwardWeights(planes.values, gy, samples: samples)
    expectClose(
      gw.elements, zip(weights, gradients.weights).map { $0 + $1 }, tolerance: tolerance,
      "gw of \(amplitudes)")
    expectClose(gb.elements, zip(bias, gradients.bias).map { $0 + $1 }, "gb of \(amplitudes)")
  }
}
