import TestSupport
import Testing

@testable import Tensors

/// The event-driven kernels against the plain definition, whatever fires.
struct EventConvolutionTests {
  /// Height, width, inputs, outputs, stride: sizes below, at and above the tiles of the kernels.
  static let geometries = [
    (1, 1, 1, 1, 1), (2, 3, 5, 10, 1), (3, 2, 5, 10, 2), (4, 4, 130, 40, 1), (7, 7, 64, 16, 2),
    (8, 8, 70, 24, 1), (9, 5, 16, 17, 2), (33, 31, 3, 16, 1), (33, 34, 2, 5, 2), (3, 146, 1, 3, 1),
    (20, 20, 65, 16, 1), (11, 11, 2, 3, 1), (23, 23, 2, 17, 2),
  ].map { h, w, inputs, outputs, stride in
    ConvolutionGeometry(h: h, w: w, inputs: inputs, outputs: outputs, stride: stride)
  }

  @Test(arguments: geometries, [0, 0.1, 0.5, 1])
  func bothPassesAgreeWithTheDefinition(_ geometry: ConvolutionGeometry, _ density: Float) {
    for threads in [1, 2, 3, 9] {
      withThreads(threads) {
        for samples in [1, 5] { check(geometry, density, samples: samples) }
      }
    }
  }

  private func check(_ geometry: ConvolutionGeometry, _ density: Float, samples: Int) {
    let (arena, amplitude) = (testArena(), 2.75 as Float)
    let (input, output) = (geometry.input(samples: samples), geometry.output(samples: samples))
    let convolution = ConvolutionBackend(.openBLAS, kernels: .events)
      .convolution(geometry, arena: arena)
    #expect(convolution.kernel(for: .forward, samples: samples, density: 1) == .events)
    let fired = randomFloats(input.count, seed: 1).map { ($0 + 1) / 2 < density }
    let spikes = SpikeTensor(input, amplitude: amplitude, in: arena) { fired[$0] }
    #expect(spikes.spikeCount == fired.count { $0 })
    let x = fired.map { $0 ? amplitude : 0 }
    let (weights, bias) = (
      randomFloats(geometry.weightCount, seed: 2), randomFloats(geometry.outputChannels, seed: 3)
    )
    let gy = randomFloats(output.count, seed: 4)

    expectForward(
      of: geometry, x, weights: weights, bias: bias, addedTo: gy, in: arena, "y"
    ) { bias, y, isAccumulating in
      convolution.forward(
        spikes, weights: .init(view(weights)), bias: bias, into: &y, accumulating: isAccumulating)
      // The next call has other weights in memory, though equal ones.
      convolution.weightsDidChange()
    }

    // Floats that are 0 where nothing fires.
    let values = zip(randomFloats(input.count, seed: 5), fired).map { $1 ? $0 : 0 }
    let ofValues = PlainConvolution(geometry: geometry).backwardWeights(
      values, gy, samples: samples)
    do {
      let x = Tensor(input, values, in: arena)
      let (gw, gb) = (view(weights), view(bias))
      let support = SpikeTensor(marking: x, in: arena)
      #expect(support.spikeCount == values.count { $0 != 0 })
      let kernel = convolution.backwardWeights(
        ofSparse: x, Tensor(output, gy, in: arena), into: gw, bias: gb)
      #expect(kernel == .events)
      expectClose(gw.elements, zip(weights, ofValues.weights).map { $0 + $1 }, "gw of values")
      expectClose(gb.elements, zip(bias, ofValues.bias).map { $0 + $1 }, "gb of values")
    }

    let expected = PlainConvolution(geometry: geometry).backwardWeights(x, gy, samples: samples)
    for hasBias in [false, true] {
      let (gw, gb) = (view(weights), view(bias))
      convolution.backwardWeights(
        spikes, Tensor(output, gy, in: arena), into: gw, bias: hasBias ? gb : nil)
      expectClose(gw.elements, zip(weights, expected.weights).map { $0 + $1 }, "gw")
      expectClose(
        gb.elements, hasBias ? zip(bias, expected.bias).map { $0 + $1 } : bias, "gb")
    }
  }

  /// In mixed precision the forward pass adds up rounded weights; nothing else changes.
  @Test(arguments: geometries) func weightsAreRoundedInMixedPrecision(
    _ geometry: ConvolutionGeometry
  ) {
    let (arena, input) = (testArena(), geometry.input(samples: 2))
    let output = geometry.output(samples: 2)
    let fires = randomSpikes(input.count, seed: 1)
    let spikes = SpikeTensor(input, amplitude: 2.75, in: arena) { fires[$0] }
    let weights = randomFloats(geometry.weightCount, seed: 2)
    let bias = view(randomFloats(output.c, seed: 3))
    let gy = Tensor(output, randomFloats(output.count, seed: 4), in: arena)
    func run(_ precision: Precision, _ weights: [Float]) -> (y: [Float], gw: [Float]) {
      let convolution = EventConvolution(geometry, precision, keepsPacked: true, arena: arena)
      var y = gy.copy(in: arena)
      convolution.forward(
        spikes, weights: .init(view(weights)), bias: bias, into: &y, accumulating: true)
      let gw = FlatBuffer(count: geometry.weightCount).all
      convolution.backwardWeights(spikes, gy, into: gw, bias: nil)
      return (y.elements, gw.elements)
    }
    let rounds = OneDNNConvolution.gainsByMixing(geometry)
    let mixed = run(.mixed, weights)
    let expected = run(.float32, rounds ? weights.map(BFloat16BlockTests.rounded) : weights)
    expectClose(mixed.y, expected.y, tolerance: 1e-6, "y")
    expectEqual(mixed.gw, expected.gw, "gw")
    #expect((mixed.y == run(.float32, weights).y) == !rounds)
  }

  @Test func packedWeightsAreRefreshedWhenToldTo() {
    let geometry = Self.geometries[1]
    let (arena, input) = (testArena(), geometry.input(samples: 1))
    let convolution = ConvolutionBackend(kernels: .events).convolution(geometry, arena: arena)
    let spikes = SpikeTensor(input, in: arena) { $0 % 3 == 0 }
    let weights = view(randomFloats(geometry.weightCount, seed: 1))
    func output() -> [Float] {
      var y = Tensor(geometry.output(samples: 1), in: arena)
      convolution.forward(spikes, weights: .init(weights), bias: nil, into: &y, accumulating: false)
      return y.elements
    }
    let before = output()
    weights.assign(weights.elements.map { -2 * $0 })
    #expect(output() == before)
    convolution.weightsDidChange()
    expectClose(output(), before.map { -2 * $0 }, "y")
  }

  @Test(arguments: geometries) func packingAnewGivesTheSame(_ geometry: ConvolutionGeometry) {
    let (arena, input) = (testArena(), geometry.input(samples: 2))
    let spikes = SpikeTensor(input, in: arena) { $0 % 3 == 0 }
    let weights = view(randomFloats(geometry.weightCount, seed: 1))
    let outputs = [MemoryUse.fast, .lean].map { memory in
      var y = Tensor(geometry.output(samples: 2), in: arena)
      ConvolutionBackend(kernels: .events, memory: memory).convolution(geometry, arena: arena)
        .forward(spikes, weights: .init(weights), bias: nil, into: &y, accumulating: false)
      return y.elements
    }
    #expect(outputs[0] == outputs[1])
  }

  @Test func onlyThreeByThreeWindowsGoByEvents() {
    func isByEvents(_ kernel: Int, _ stride: Int, _ padding: Int, width: Int = 8) -> Bool {
      let geometry = ConvolutionGeometry(
        h: 8, w: width, inputs: 4, outputs: 4, kernel: kernel, stride: stride, padding: padding)
      return ConvolutionBackend(kernels: .events).convolution(geometry, arena: testArena())
        .kernel(for: .forward, samples: 1, density: 1) == .events
    }
    #expect(isByEvents(3, 1, 1) && isByEvents(3, 2, 1))
    #expect(!isByEvents(1, 1, 0) && !isByEvents(3, 1, 0) && !isByEvents(3, 3, 1))
    #expect(!isByEvents(3, 1, 1, width: 500))
  }

  /// The fewer fire, the better for events; narrow layers are for dense kernels.
  @Test func theCostModelGoesByDensityAndWidth() {
    func isByEvents(_ channels: Int, _ pass: ConvolutionPass, at density: Double) -> Bool {
      let geometry = ConvolutionGeometry(h: 8, w: 8, inputs: channels, outputs: channels)
      return ConvolutionBackend(costs: .zen5).convolution(geometry, arena: testArena())
        .kernel(for: pass, samples: 8, density: density) == .events
    }
    for pass in [ConvolutionPass.forward, .backwardWeights] {
      #expect(isByEvents(64, pass, at: 0.1))
      #expect(!isByEvents(64, pass, at: 0.9))
    }
    #expect(!isByEvents(16, .forward, at: 0.15))
  }

  @Test func namesTheKernelOfEveryPass() throws {
    let geometry = ConvolutionGeometry(h: 8, w: 8, inputs: 64, outputs: 64)
    func kernels(_ backend: ConvolutionBackend, at density: Double?) -> [ConvolutionKernel] {
      let convolution = backend.convolution(geometry, arena: testArena())
      return ConvolutionPass.allCases.map {
        convolution.kernel(for: $0, samples: 8, density: density)
      }
    }
    #expect(kernels(.oneDNN, at: 0.1) == [.oneDNN, .oneDNN, .oneDNN])
    #expect(kernels(.init(.openBLAS, costs: .zen5), at: 0.1) == [.events, .winograd, .events])
    #expect(kernels(.init(costs: .zen5), at: 0.95) == [.winograd, .winograd, .winograd])
    #expect(kernels(.init(kernels: .winograd), at: 0.1) == [.winograd, .winograd, .winograd])
    #expect(kernels(.init(kernels: .events), at: 0.95) == [.events, .oneDNN, .events])
    // What is not spikes never goes by events.
    #expect(kernels(.init(kernels: .events), at: nil) == [.oneDNN, .oneDNN, .oneDNN])

    let auto = ConvolutionBackend(costs: .zen5).convolution(geometry, arena: testArena())
    for pass in [ConvolutionPass.forward, .backwardWeights] {
      let greatest = try #require(auto.greatestEventDensity(for: pass, samples: 8))
      #expect(auto.kernel(for: pass, samples: 8, density: greatest) == .events)
      #expect(auto.kernel(for: pass, samples: 8, density: greatest + 0.001) == .winograd)
    }
    #expect(auto.greatestEventDensity(for: .backwardInput, samples: 8) == nil)
  }
}
