import TestSupport
import Testing

@testable import Tensors

/// The bits of a result do not depend on the number of threads.
struct ThreadCountTests {
  static let threads = [1, 2, 3, 5, 8, 32]

  static let geometries = [
    ConvolutionGeometry(h: 32, w: 32, inputs: 3, outputs: 64),
    ConvolutionGeometry(h: 16, w: 16, inputs: 64, outputs: 64),
    ConvolutionGeometry(h: 16, w: 16, inputs: 64, outputs: 128, stride: 2),
    ConvolutionGeometry(h: 7, w: 9, inputs: 72, outputs: 40),
    ConvolutionGeometry(h: 3, w: 4, inputs: 512, outputs: 480),
    ConvolutionGeometry(h: 16, w: 16, inputs: 64, outputs: 128, kernel: 1, stride: 2, padding: 0),
    ConvolutionGeometry(h: 15, w: 15, inputs: 3, outputs: 64, kernel: 7, stride: 2, padding: 3),
  ]

  static let backends =
    ConvolutionBackend.Kernels.allCases.map { ConvolutionBackend(kernels: $0) } + [.openBLAS]

  @Test(arguments: geometries, backends)
  func convolutions(_ geometry: ConvolutionGeometry, _ backend: ConvolutionBackend) {
    for isOfSpikes in [false, true] {
      let results = Self.threads.map { threads in
        withThreads(threads) { Self.passes(of: geometry, backend, isOfSpikes: isOfSpikes) }
      }
      for (threads, result) in zip(Self.threads, results).dropFirst() {
        for (pass, (elements, expected)) in zip(result, results[0]).enumerated() {
          expectEqual(
            elements, expected, "pass \(pass), \(threads) threads, of spikes: \(isOfSpikes)")
        }
      }
    }
  }

  /// The output, and the gradients of input, weights and bias.
  private static func passes(
    of geometry: ConvolutionGeometry, _ backend: ConvolutionBackend, isOfSpikes: Bool
  ) -> [[Float]] {
    let (arena, samples) = (testArena(), 6)
    let convolution = backend.convolution(geometry, arena: arena)
    let (input, output) = (geometry.input(samples: samples), geometry.output(samples: samples))
    let weights = view(randomFloats(geometry.weightCount, seed: 1))
    let bias = view(randomFloats(geometry.outputChannels, seed: 2))
    let fired = randomSpikes(input.count, seed: 3)
    let x = Tensor(input, randomFloats(input.count, seed: 4), in: arena)
    let spikes = SpikeTensor(input, in: arena) { fired[$0] }
    let gy = Tensor(output, randomFloats(output.count, seed: 5), in: arena)
    var y = Tensor(output, in: arena)
    var gx = Tensor(input, in: arena)
    let (gw, gb) = (view(weights.elements), view(bias.elements))
    let operands = ConvolutionWeights(weights)
    if isOfSpikes {
      convolution.forward(spikes, weights: operands, bias: bias, into: &y, accumulating: false)
      convolution.backwardWeights(spikes, gy, into: gw, bias: gb)
    } else {
      convolution.forward(x, weights: operands, bias: bias, into: &y, accumulating: false)
      convolution.backwardWeights(x, gy, into: gw, bias: gb)
    }
    convolution.backwardInput(gy, weights: operands, into: &gx)
    return [y.elements, gx.elements, gw.elements, gb.elements]
  }
}
