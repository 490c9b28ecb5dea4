import TestSupport
import Testing

@testable import Tensors

struct ConvolutionTests {
  /// (height, width, inputs, outputs, kernel, stride, padding)
  static let geometries: [ConvolutionGeometry] = [
    (7, 5, 1, 1, 1, 1, 0), (8, 8, 16, 64, 1, 2, 0), (5, 7, 64, 16, 1, 1, 0),
    (9, 7, 3, 16, 3, 1, 1), (8, 8, 16, 16, 3, 2, 1), (7, 7, 64, 64, 3, 1, 1),
    (5, 6, 4, 3, 3, 1, 0), (5, 5, 3, 4, 3, 2, 2), (1, 1, 16, 4, 3, 1, 1),
    (9, 11, 4, 16, 5, 1, 2), (11, 9, 1, 3, 5, 2, 1), (6, 6, 3, 1, 5, 1, 3),
    (8, 8, 8, 16, 1, 2, 0), (9, 9, 3, 16, 1, 3, 0), (13, 15, 3, 64, 7, 2, 3), (9, 9, 4, 4, 7, 1, 2),
    (7, 7, 1, 16, 7, 1, 0),
  ].map { h, w, inputs, outputs, kernel, stride, padding in
    ConvolutionGeometry(
      h: h, w: w, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding
    )
  }

  @Test(arguments: geometries, ConvolutionBackend.Library.allCases)
  func allPassesAgreeWithTheDefinition(
    _ geometry: ConvolutionGeometry, _ library: ConvolutionBackend.Library
  ) {
    let backend = ConvolutionBackend(library, kernels: .dense)
    // Each with an object of its own: oneDNN sizes its workspaces by the threads.
    for threads in 1...3 {
      withThreads(threads) { Self.checkAllPasses(geometry, backend) }
    }
  }

  /// Forward, the gradient of the input, and those of weights and bias, against the plain loop.
  static func checkAllPasses(_ geometry: ConvolutionGeometry, _ backend: ConvolutionBackend) {
    let (arena, reference) = (testArena(), PlainConvolution(geometry: geometry))
    let convolution = backend.convolution(geometry, arena: arena)
    let weights = randomFloats(geometry.weightCount, seed: 1)
    let bias = randomFloats(geometry.outputChannels, seed: 2)
    // Several numbers of samples, one of them again, on one object.
    for samples in [1, 5, 2, 5] {
      let (input, output) = (geometry.input(samples: samples), geometry.output(samples: samples))
      let x = randomFloats(input.count, seed: 10 + samples)
      let gy = randomFloats(output.count, seed: 20 + samples)
      expectForward(
        of: geometry, x, weights: weights, bias: bias, addedTo: gy, in: arena, "y of \(samples)"
      ) { bias, y, isAccumulating in
        convolution.forward(
          Tensor(input, x, in: arena), weights: .init(view(weights)), bias: bias, into: &y,
          accumulating: isAccumulating)
      }

      var gx = Tensor(input, [Float](repeating: .nan, count: input.count), in: arena)
      convolution.backwardInput(
        Tensor(output, gy, in: arena), weights: .init(view(weights)), into: &gx)
      expectClose(
        gx.elements, reference.backwardInput(gy, weights: weights, samples: samples),
        "gx of \(samples)")

      // The gradients add to what is there.
      let (gw, gb) = (view(weights), view(bias))
      convolution.backwardWeights(
        Tensor(input, x, in: arena), Tensor(output, gy, in: arena), into: gw, bias: nil)
      convolution.backwardWeights(
        Tensor(input, x, in: arena), Tensor(output, gy, in: arena), into: gw, bias: gb)
      let expected = reference.backwardWeights(x, gy, samples: samples)
      expectClose(
        gw.elements, zip(weights, expected.weights).map { $0 + 2 * $1 }, "gw of \(samples)")
      expectClose(gb.elements, zip(bias, expected.bias).map { $0 + $1 }, "gb of \(samples)")
    }
    #expect(arena.bytesInUse == 0)
  }

  /// What the summary of a run says of memory relies on it.
  @Test(
    arguments: [
      (3, 1, 1, 128, 128), (3, 2, 1, 70, 200), (1, 2, 0, 64, 128), (3, 1, 1, 512, 512),
    ], [1, 3, 16])
  func passesTakeNoMoreScratchMemoryThanTheySay(
    _ layer: (kernel: Int, stride: Int, padding: Int, inputs: Int, outputs: Int), threads: Int
  ) {
    let geometry = ConvolutionGeometry(
      h: 8, w: 8, inputs: layer.inputs, outputs: layer.outputs, kernel: layer.kernel,
      stride: layer.stride, padding: layer.padding)
    let samples = 20
    for library in ConvolutionBackend.Library.allCases {
      for kernels in ConvolutionBackend.Kernels.allCases {
        let arena = Arena(capacity: 1 << 30)
        let backend = ConvolutionBackend(library, kernels: kernels, memory: .lean)
        let convolution = backend.convolution(geometry, arena: arena)
        let input = geometry.input(samples: samples)
        let spikes = SpikeTensor(input, in: arena) { $0 % 5 == 0 }
        var gx = Tensor(input, in: arena)
        var y = Tensor(geometry.output(samples: samples), in: arena)
        let operands = arena.bytesInUse
        let weights = FlatBuffer(count: geometry.weightCount).all
        let gradient = FlatBuffer(count: geometry.weightCount).all
        let said = withThreads(threads) {
          convolution.forward(
            spikes, weights: .init(weights), bias: nil, into: &y, accumulating: false)
          convolution.backwardInput(y, weights: .init(weights), into: &gx)
          convolution.backwardWeights(spikes, y, into: gradient, bias: nil)
          return convolution.scratchBytes(samples: samples)
        }
        // Blocks are whole lines of the cache.
        #expect(arena.peakBytes - operands <= said + 1024, "\(library) \(kernels)")
      }
    }
  }

  @Test(arguments: geometries) func backEndsAgree(_ geometry: ConvolutionGeometry) {
    let (arena, samples) = (testArena(), 3)
    let (input, output) = (geometry.input(samples: samples), geometry.output(samples: samples))
    let x = Tensor(input, randomFloats(input.count, seed: 1), in: arena)
    let gy = Tensor(output, randomFloats(output.count, seed: 2), in: arena)
    let weights = view(randomFloats(geometry.weightCount, seed: 3))
    let results = [ConvolutionBackend.oneDNN, .openBLAS].map { backend in
      let convolution = backend.convolution(geometry, arena: arena)
      var y = Tensor(output, in: arena)
      var gx = Tensor(input, in: arena)
      let gw = view([Float](repeating: 0, count: geometry.weightCount))
      convolution.forward(x, weights: .init(weights), bias: nil, into: &y, accumulating: false)
      convolution.backwardInput(gy, weights: .init(weights), into: &gx)
      convolution.backwardWeights(x, gy, into: gw, bias: nil)
      return [y.elements, gx.elements, gw.elements]
    }
    for (index, what) in ["y", "gx", "gw"].enumerated() {
      expectClose(results[0][index], results[1][index], what)
    }
  }

  @Test(arguments: ConvolutionBackend.Library.allCases, ConvolutionBackend.Kernels.allCases)
  func spikesAreConvolvedAsTheirValues(
    _ library: ConvolutionBackend.Library, _ kernels: ConvolutionBackend.Kernels
  ) {
    // 3x3, and 1x1 with strides.
    for index in [4, 1, 12, 13] {
      check(Self.geometries[index], ConvolutionBackend(library, kernels: kernels))
    }
  }

  private func check(_ geometry: ConvolutionGeometry, _ backend: ConvolutionBackend) {
    let (arena, input) = (testArena(), geometry.input(samples: 2))
    let output = geometry.output(samples: 2)
    let convolution = backend.convolution(geometry, arena: arena)
    let reference = PlainConvolution(geometry: geometry)
    let fired = randomSpikes(input.count, seed: 1)
    let x = fired.map { $0 ? 2.75 : 0 as Float }
    let weights = randomFloats(geometry.weightCount, seed: 2)
    let gy = randomFloats(output.count, seed: 3)
    let spikes = SpikeTensor(input, amplitude: 2.75, in: arena) { fired[$0] }
    var y = Tensor(output, in: arena)
    convolution.forward(
      spikes, weights: .init(view(weights)), bias: nil, into: &y, accumulating: false)
    expectClose(y.elements, reference.forward(x, weights: weights, bias: nil, samples: 2), "y")
    let gw = view([Float](repeating: 0, count: weights.count))
    convolution.backwardWeights(spikes, Tensor(output, gy, in: arena), into: gw, bias: nil)
    expectClose(gw.elements, reference.backwardWeights(x, gy, samples: 2).weights, "gw")
  }

  /// oneDNN's copy of the weights is made once, and anew when they are said to have changed; the other
  /// back end has none.
  @Test(arguments: ConvolutionBackend.Library.allCases)
  func packedWeightsAreRefreshedWhenToldTo(_ library: ConvolutionBackend.Library) {
    let backend = ConvolutionBackend(library, kernels: .dense)
    let geometry = Self.geometries[5]
    let (arena, input) = (testArena(), geometry.input(samples: 1))
    let output = geometry.output(samples: 1)
    let convolution = backend.convolution(geometry, arena: arena)
    let x = Tensor(input, randomFloats(input.count, seed: 1), in: arena)
    let gy = Tensor(output, randomFloats(output.count, seed: 2), in: arena)
    let weights = view(randomFloats(geometry.weightCount, seed: 3))
    func passes() -> (y: [Float], gx: [Float]) {
      var y = Tensor(output, in: arena)
      var gx = Tensor(input, in: arena)
      convolution.forward(x, weights: .init(weights), bias: nil, into: &y, accumulating: false)
      convolution.backwardInput(gy, weights: .init(weights), into: &gx)
      return (y.elements, gx.elements)
    }
    let before = passes()
    weights.assign(weights.elements.map { -2 * $0 })
    if library == .oneDNN {
      let stale = passes()
      #expect(stale.y == before.y && stale.gx == before.gx)
    }
    convolution.weightsDidChange()
    let after = passes()
    expectClose(after.y, before.y.map { -2 * $0 }, "y")
    expectClose(after.gx, before.gx.map { -2 * $0 }, "gx")
  }
}
