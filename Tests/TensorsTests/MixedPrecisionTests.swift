import TestSupport
import Testing

@testable import Tensors

/// Dense convolutions whose operands are rounded to bfloat16.
@Suite(.enabled(if: Precision.hasBFloat16, "the processor has no bfloat16 instructions"))
struct MixedPrecisionTests {
  static let geometries = [
    (7, 5, 16, 16, 3, 1, 1), (8, 8, 64, 32, 3, 2, 1), (9, 7, 16, 64, 1, 2, 0),
    (5, 4, 40, 24, 1, 1, 0),
    (4, 4, 130, 40, 3, 1, 1),
  ].map { h, w, inputs, outputs, kernel, stride, padding in
    ConvolutionGeometry(
      h: h, w: w, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding
    )
  }

  private struct Results {
    var y, ySpikes, gx, gw, gwSpikes, gb: [Float]
  }

  /// All passes of 3 samples.
  private func run(
    _ geometry: ConvolutionGeometry, _ precision: Precision, operands: (Int, Int) -> [Float]
  ) -> Results {
    let arena = testArena()
    let (input, output) = (geometry.input(samples: 3), geometry.output(samples: 3))
    let convolution = ConvolutionBackend(.oneDNN, kernels: .dense, precision: precision)
      .convolution(geometry, arena: arena)
    let x = Tensor(input, operands(input.count, 1), in: arena)
    let gy = Tensor(output, operands(output.count, 2), in: arena)
    let weights = view(operands(geometry.weightCount, 3))
    let bias = view(randomFloats(output.c, seed: 4))
    let fires = randomSpikes(input.count, seed: 5)
    let spikes = SpikeTensor(input, amplitude: 2.75, in: arena) { fires[$0] }
    var y = Tensor(output, randomFloats(output.count, seed: 6), in: arena)
    convolution.forward(x, weights: .init(weights), bias: bias, into: &y, accumulating: true)
    var ySpikes = Tensor(output, in: arena)
    convolution.forward(
      spikes, weights: .init(weights), bias: bias, into: &ySpikes, accumulating: false)
    var gx = Tensor(input, in: arena)
    convolution.backwardInput(gy, weights: .init(weights), into: &gx)
    let (gw, gwSpikes) = (
      FlatBuffer(count: geometry.weightCount).all, FlatBuffer(count: geometry.weightCount).all
    )
    let gb = FlatBuffer(count: output.c).all
    convolution.backwardWeights(x, gy, into: gw, bias: gb)
    convolution.backwardWeights(spikes, gy, into: gwSpikes, bias: nil)
    return Results(
      y: y.elements, ySpikes: ySpikes.elements, gx: gx.elements, gw: gw.elements,
      gwSpikes: gwSpikes.elements, gb: gb.elements)
  }

  private func compare(_ actual: Results, _ expected: Results, tolerance: Float) {
    expectClose(actual.y, expected.y, tolerance: tolerance, "y")
    expectClose(actual.ySpikes, expected.ySpikes, tolerance: tolerance, "y of spikes")
    expectClose(actual.gx, expected.gx, tolerance: tolerance, "gx")
    expectClose(actual.gw, expected.gw, tolerance: tolerance, "gw")
    expectClose(actual.gwSpikes, expected.gwSpikes, tolerance: tolerance, "gw of spikes")
    expectClose(actual.gb, expected.gb, tolerance: tolerance, "gb")
  }

  /// Numbers that bfloat16 holds lose nothing: sums and results are in single precision.
  @Test(arguments: geometries) func onlyOperandsAreRounded(_ geometry: ConvolutionGeometry) {
    withThreads(2) {
      let operands = { gridFloats($0, seed: $1) }
      compare(
        run(geometry, .mixed, operands: operands), run(geometry, .float32, operands: operands),
        tolerance: 1e-6)
    }
  }

  @Test(arguments: geometries) func otherNumbersAreRounded(_ geometry: ConvolutionGeometry) {
    let operands = { randomFloats($0, seed: $1) }
    let mixed = run(geometry, .mixed, operands: operands)
    let float32 = run(geometry, .float32, operands: operands)
    compare(mixed, float32, tolerance: 0x1p-7)
    // The products are those of the rounded operands, and nothing else.
    let rounded = run(geometry, .float32) {
      randomFloats($0, seed: $1).map(BFloat16BlockTests.rounded)
    }
    compare(mixed, rounded, tolerance: 1e-5)
    #expect(mixed.gx != float32.gx && mixed.gw != float32.gw && mixed.y != float32.y)
  }

  /// Elements that a pass has rounded along the way are taken as they are.
  @Test func roundedElementsAreUsed() {
    let (arena, geometry) = (testArena(), Self.geometries[0])
    let convolution = ConvolutionBackend(.oneDNN, precision: .mixed)
      .convolution(geometry, arena: arena)
    let output = geometry.output(samples: 2)
    let (one, zero) = (
      view([Float](repeating: 1, count: 16)), view([Float](repeating: 0, count: 16))
    )
    var gy = Tensor(output, randomFloats(output.count, seed: 1), in: arena)
    let weights = view(randomFloats(geometry.weightCount, seed: 2))
    func inputGradient() -> [Float] {
      var gx = Tensor(geometry.input(samples: 2), in: arena)
      convolution.backwardInput(gy, weights: .init(weights), into: &gx)
      return gx.elements
    }
    let expected = inputGradient()
    gy.combine(
      a: one, b: zero, with: .exact(SharedTensor(gy.copy(in: arena))), c: zero, rounding: true)
    expectEqual(inputGradient(), expected, "gx")
    gy.rounded!.pointer.update(repeating: 0, count: output.count)
    #expect(inputGradient().allSatisfy { $0 == 0 })
  }

  /// Narrow layers, such as stems, compute as ever.
  @Test func narrowLayersStayExact() {
    let geometry = ConvolutionGeometry(h: 6, w: 6, inputs: 3, outputs: 32)
    let operands = { randomFloats($0, seed: $1) }
    let (mixed, float32) = (
      run(geometry, .mixed, operands: operands), run(geometry, .float32, operands: operands)
    )
    compare(mixed, float32, tolerance: 0)
  }

  /// Against faster dense convolutions events must be fewer.
  @Test(arguments: [(CostTable.zen5, 0.03), (.emeraldRapids, 0.01)])
  func theCostModelKnowsThePrecision(_ table: CostTable, few: Double) {
    let (geometry, arena) = (ConvolutionGeometry(h: 8, w: 8, inputs: 64, outputs: 64), testArena())
    func kernel(_ precision: Precision, _ pass: ConvolutionPass, _ density: Double)
      -> ConvolutionKernel
    {
      ChosenConvolution(
        ConvolutionBackend.oneDNN.convolution(geometry, arena: arena), precision,
        [EventConvolution(geometry, precision, keepsPacked: true, arena: arena)], isForced: false,
        table: table
      ).kernel(for: pass, samples: 8, density: density)
    }
    for pass in [ConvolutionPass.forward, .backwardWeights] {
      #expect(kernel(.mixed, pass, few) == .events)
      #expect(kernel(.float32, pass, 0.45) == .events && kernel(.mixed, pass, 0.45) == .oneDNN)
    }
  }
}

struct PrecisionTests {
  @Test func openBLASHasSinglePrecisionOnly() {
    let backend = ConvolutionBackend(.openBLAS, precision: .mixed)
    #expect(backend.effectivePrecision == .float32)
    #expect(backend.precisionProblem?.contains("--backend onednn") == true)
  }

  @Test func oneDNNGoesByTheProcessor() {
    let backend = ConvolutionBackend(precision: .mixed)
    #expect(backend.effectivePrecision == (Precision.hasBFloat16 ? .mixed : .float32))
    #expect((backend.precisionProblem == nil) == Precision.hasBFloat16)
    #expect(ConvolutionBackend().precisionProblem == nil)
    #expect(ConvolutionBackend().effectivePrecision == .float32)
  }
}
