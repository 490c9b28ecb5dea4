import TestSupport
import Testing

@testable import Tensors

struct WinogradConvolutionTests {
  /// Height, width, inputs, outputs: sizes below, at and above tiles, vectors, groups and slices.
  static let geometries = [
    (1, 1, 1, 1), (4, 4, 16, 64), (3, 5, 17, 10), (8, 9, 5, 70), (10, 6, 64, 16), (5, 13, 33, 130),
    (24, 31, 3, 5), (5, 4, 272, 260),
  ].map { h, w, inputs, outputs in
    ConvolutionGeometry(h: h, w: w, inputs: inputs, outputs: outputs)
  }

  @Test(arguments: geometries)
  func allPassesAgreeWithTheDefinition(_ geometry: ConvolutionGeometry) {
    let backend = ConvolutionBackend(.openBLAS, kernels: .winograd)
    for pass in ConvolutionPass.allCases {
      let convolution = backend.convolution(geometry, arena: testArena())
      #expect(convolution.kernel(for: pass, samples: 1, density: nil) == .winograd)
    }
    for threads in 1...3 {
      withThreads(threads) { ConvolutionTests.checkAllPasses(geometry, backend) }
    }
  }

  /// Against the sums that float rounding allows a direct convolution, of which it may take the double.
  @Test func roundsLittleMoreThanADirectConvolution() throws {
    let geometry = ConvolutionGeometry(h: 9, w: 9, inputs: 64, outputs: 64)
    let check = ConvolutionCheck(geometry: geometry, samples: 3)
    let backend = ConvolutionBackend(kernels: .winograd)
    #expect(check.check(backend.convolution(geometry, arena: testArena())).worst < 0.5)
  }

  @Test func theResultDoesNotDependOnThreads() {
    let geometry = Self.geometries[5]
    let (arena, samples) = (testArena(), 5)
    let x = randomFloats(geometry.input(samples: samples).count, seed: 1)
    let gy = randomFloats(geometry.output(samples: samples).count, seed: 2)
    let weights = view(randomFloats(geometry.weightCount, seed: 3))
    let results = (1...3).map { threads in
      withThreads(threads) {
        let convolution = ConvolutionBackend(kernels: .winograd).convolution(geometry, arena: arena)
        let outputGradient = Tensor(geometry.output(samples: samples), gy, in: arena)
        var gx = Tensor(geometry.input(samples: samples), in: arena)
        convolution.backwardInput(outputGradient, weights: .init(weights), into: &gx)
        let gw = view([Float](repeating: 0, count: geometry.weightCount))
        convolution.backwardWeights(
          Tensor(geometry.input(samples: samples), x, in: arena), outputGradient, into: gw,
          bias: nil)
        return [gx.elements, gw.elements]
      }
    }
    #expect(results[1] == results[0])
    #expect(results[2] == results[0])
  }

  @Test func noSamplesLeaveGradientsAlone() {
    let (geometry, arena) = (Self.geometries[1], testArena())
    let convolution = ConvolutionBackend(kernels: .winograd).convolution(geometry, arena: arena)
    let weights = view(randomFloats(geometry.weightCount, seed: 1))
    let gw = view(randomFloats(geometry.weightCount, seed: 2))
    let before = gw.elements
    let x = Tensor(geometry.input(samples: 0), in: arena)
    var gx = Tensor(geometry.input(samples: 0), in: arena)
    let gy = Tensor(geometry.output(samples: 0), in: arena)
    convolution.backwardInput(gy, weights: .init(weights), into: &gx)
    convolution.backwardWeights(x, gy, into: gw, bias: nil)
    #expect(gw.elements == before)
  }

  @Test func onlyThreeByThreeWindowsWithStrideOneGoThatWay() {
    func isWinograd(_ kernel: Int, _ stride: Int, _ padding: Int) -> Bool {
      let geometry = ConvolutionGeometry(
        h: 8, w: 8, inputs: 64, outputs: 64, kernel: kernel, stride: stride, padding: padding)
      return ConvolutionBackend(kernels: .winograd).convolution(geometry, arena: testArena())
        .kernel(for: .forward, samples: 1, density: nil) == .winograd
    }
    #expect(isWinograd(3, 1, 1))
    #expect(!isWinograd(3, 2, 1))
    #expect(!isWinograd(3, 1, 0))
    #expect(!isWinograd(1, 1, 0))
  }

  @Test func smallLayersAndFewSamplesStayDirect() {
    func favours(
      _ side: Int, _ channels: Int, samples: Int, _ precision: Precision = .float32
    ) -> Bool {
      let geometry = ConvolutionGeometry(h: side, w: side, inputs: channels, outputs: channels)
      let arena = testArena()
      return ChosenConvolution(
        ConvolutionBackend.oneDNN.convolution(geometry, arena: arena), precision,
        [WinogradConvolution(geometry, arena: arena)], isForced: false, table: .zen5
      ).kernel(for: .forward, samples: samples, density: nil) == .winograd
    }
    #expect(favours(32, 64, samples: 32))
    #expect(favours(32, 64, samples: 32, .mixed))
    for (side, inputs, outputs) in [(32, 3, 3), (48, 2, 64), (32, 3, 64)] {
      let stem = ConvolutionGeometry(h: side, w: side, inputs: inputs, outputs: outputs)
      let auto = ConvolutionBackend(costs: .zen5).convolution(stem, arena: testArena())
      #expect(auto.kernel(for: .forward, samples: 32, density: nil) == .oneDNN)
    }
    #expect(!favours(4, 512, samples: 1))
    #expect(!favours(1, 64, samples: 32))
    #expect(!favours(3, 512, samples: 32, .mixed))
  }

  /// Where Winograd's method is at hand, fewer spikes are worth going by events.
  @Test func eventsCompeteWithTheFasterWay() throws {
    for (side, channels) in [(32, 64), (16, 128), (8, 256)] {
      let geometry = ConvolutionGeometry(h: side, w: side, inputs: channels, outputs: channels)
      let auto = ConvolutionBackend(costs: .zen5).convolution(geometry, arena: testArena())
      for pass in [ConvolutionPass.forward, .backwardWeights] {
        let greatest = try #require(auto.greatestEventDensity(for: pass, samples: 32))
        #expect(greatest > 0.12 && greatest < 0.6, "\(channels) channels")
      }
      #expect(auto.kernel(for: .forward, samples: 32, density: 0.4) == .winograd)
    }
    // With stride 2 a direct convolution is the only other way.
    let strided = ConvolutionGeometry(h: 16, w: 16, inputs: 64, outputs: 64, stride: 2)
    let auto = ConvolutionBackend(costs: .zen5).convolution(strided, arena: testArena())
    #expect(auto.kernel(for: .forward, samples: 32, density: 0.4) == .events)
  }
}
