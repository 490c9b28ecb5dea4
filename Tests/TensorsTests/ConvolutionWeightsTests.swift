import TestSupport
import Testing

@testable import Tensors

/// Factors and terms of output channels, against weights to which they were applied beforehand.
struct ConvolutionWeightsTests {
  /// 3x3 with either stride, and 1x1; channels below and above vectors, words and groups.
  static let geometries = [
    (3, 1, 70, 130), (3, 1, 5, 10), (3, 2, 65, 20), (1, 2, 16, 40), (1, 1, 8, 3),
  ]
  .map { kernel, stride, inputs, outputs in
    ConvolutionGeometry(
      h: 7, w: 6, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride,
      padding: kernel / 2)
  }

  static let backends =
    ConvolutionBackend.Library.allCases.flatMap { library in
      ConvolutionBackend.Kernels.allCases.map { ConvolutionBackend(library, kernels: $0) }
    }
    + [
      ConvolutionBackend(kernels: .events, precision: .mixed),
      ConvolutionBackend(kernels: .events, memory: .lean),
    ]

  @Test(arguments: geometries, backends)
  func passesApplyFactorsAndTerms(_ geometry: ConvolutionGeometry, _ backend: ConvolutionBackend) {
    let channels = geometry.outputChannels
    let values = randomFloats(geometry.weightCount, seed: 1)
    let (scale, shift) = (randomFloats(channels, seed: 2), randomFloats(channels, seed: 3))
    let applied = values.indices.map { values[$0] * scale[$0 % channels] + shift[$0 % channels] }
    let affine = ChannelAffine(scale: view(scale), shift: view(shift))
    for threads in 1...2 {
      withThreads(threads) {
        let results = [
          ConvolutionWeights(view(values), affine), ConvolutionWeights(view(applied)),
        ].map { passes(backend.convolution(geometry, arena: testArena()), $0) }
        // A product that is added without being rounded may fall on the other side of a tie.
        let tolerance: Float = backend.effectivePrecision == .mixed ? 0x1p-7 : 1e-5
        for (index, what) in ["y", "y of spikes", "gx"].enumerated() {
          expectClose(results[0][index], results[1][index], tolerance: tolerance, what)
        }
      }
    }
  }

  /// Twice: the second time finds packed weights.
  private func passes(
    _ convolution: any Convolution, _ weights: ConvolutionWeights
  ) -> [[Float]] {
    let (arena, geometry) = (convolution.arena, convolution.geometry)
    let (input, output) = (geometry.input(samples: 3), geometry.output(samples: 3))
    let x = Tensor(input, randomFloats(input.count, seed: 4), in: arena)
    let gy = Tensor(output, randomFloats(output.count, seed: 5), in: arena)
    let fires = randomSpikes(input.count, seed: 6)
    let spikes = SpikeTensor(input, amplitude: 2.75, in: arena) { fires[$0] }
    var y = Tensor(output, in: arena)
    var ofSpikes = Tensor(output, in: arena)
    var gx = Tensor(input, in: arena)
    for _ in 0..<2 {
      convolution.forward(x, weights: weights, bias: nil, into: &y, accumulating: false)
      convolution.forward(spikes, weights: weights, bias: nil, into: &ofSpikes, accumulating: false)
      convolution.backwardInput(gy, weights: weights, into: &gx)
    }
    return [y.elements, ofSpikes.elements, gx.elements]
  }
}
