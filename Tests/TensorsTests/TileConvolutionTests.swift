import AMXEmulator
import TestSupport
import Testing

@testable import Tensors

/// Products of tiles against the plain definition, and the engines against each other.
struct TileConvolutionTests {
  /// Height, width, inputs, outputs, kernel, stride, padding: rows that fill tiles and that do not, several
  /// samples side by side, tails of channels, several bands.
  static let geometries = [
    (1, 1, 3, 5, 3, 1, 1), (4, 4, 64, 32, 3, 1, 1), (7, 7, 64, 64, 3, 1, 1),
    (9, 9, 17, 33, 3, 2, 1), (9, 11, 65, 40, 1, 1, 0), (9, 8, 9, 33, 1, 2, 0),
    (8, 9, 128, 40, 4, 2, 1), (5, 3, 130, 7, 3, 3, 1), (10, 13, 70, 20, 5, 1, 2),
    (40, 70, 64, 16, 3, 1, 1),
  ].map { h, w, inputs, outputs, kernel, stride, padding in
    ConvolutionGeometry(
      h: h, w: w, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride,
      padding: padding)
  }

  /// The operands of both passes of spikes.
  private struct Operands {
    static let amplitude: Float = 2.75

    let geometry: ConvolutionGeometry
    let samples: Int
    let fired: [Bool]
    let weights, bias, gy: [Float]

    init(_ geometry: ConvolutionGeometry, samples: Int, density: Float = 0.3) {
      (self.geometry, self.samples) = (geometry, samples)
      fired = randomFloats(geometry.input(samples: samples).count, seed: 1)
        .map { ($0 + 1) / 2 < density }
      weights = randomFloats(geometry.weightCount, seed: 2)
      bias = randomFloats(geometry.outputChannels, seed: 3)
      gy = randomFloats(geometry.output(samples: samples).count, seed: 4)
    }

    var x: [Float] { fired.map { $0 ? Self.amplitude : 0 } }

    func spikes(in arena: Arena) -> SpikeTensor {
      SpikeTensor(geometry.input(samples: samples), amplitude: Self.amplitude, in: arena) {
        fired[$0]
      }
    }

    static let names = ["y", "gw", "gb", "gx"]

    /// The output, added to `gy`, the gradients of weights and bias, added to those, and of the input.
    func results(of convolution: any ConvolutionPasses) -> [[Float]] {
      let arena = convolution.arena
      let output = geometry.output(samples: samples)
      var y = Tensor(output, gy, in: arena)
      convolution.forward(
        spikes(in: arena), weights: .init(view(weights)), bias: view(bias), into: &y,
        accumulating: true)
      let (gw, gb) = (view(weights), view(bias))
      convolution.backwardWeights(
        spikes(in: arena), Tensor(output, gy, in: arena), into: gw, bias: gb)
      let input = geometry.input(samples: samples)
      var gx = Tensor(input, [Float](repeating: .nan, count: input.count), in: arena)
      convolution.backwardInput(
        Tensor(output, gy, in: arena), weights: .init(view(weights)), into: &gx)
      return [y.elements, gw.elements, gb.elements, gx.elements]
    }
  }

  private func convolution(
    _ geometry: ConvolutionGeometry, _ precision: Precision = .float32,
    _ engine: TileEngine = .best, memory: MemoryUse = .fast
  ) -> TileConvolution {
    TileConvolution(
      geometry, precision, keepsPacked: memory == .fast, engine: engine, arena: testArena())
  }

  @Test(arguments: geometries, [0, 0.3, 1])
  func allPassesAgreeWithTheDefinition(_ geometry: ConvolutionGeometry, _ density: Float) {
    for samples in [1, 5] {
      let operands = Operands(geometry, samples: samples, density: density)
      let convolution = convolution(geometry)
      expectForward(
        of: geometry, operands.x, weights: operands.weights, bias: operands.bias,
        addedTo: operands.gy, in: convolution.arena, "y"
      ) { bias, y, isAccumulating in
        convolution.forward(
          operands.spikes(in: convolution.arena), weights: .init(view(operands.weights)),
          bias: bias, into: &y, accumulating: isAccumulating)
        // The next call has other weights in memory, though equal ones.
        convolution.weightsDidChange()
      }
      let expected = PlainConvolution(geometry: geometry)
        .backwardWeights(operands.x, operands.gy, samples: samples)
      let results = operands.results(of: convolution)
      expectClose(
        results[1], zip(operands.weights, expected.weights).map { $0 + $1 }, tolerance: 1e-6, "gw")
      expectClose(results[2], zip(operands.bias, expected.bias).map { $0 + $1 }, "gb")
      expectClose(
        results[3],
        PlainConvolution(geometry: geometry)
          .backwardInput(operands.gy, weights: operands.weights, samples: samples),
        tolerance: 1e-6, "gx")
      #expect(convolution.arena.bytesInUse == 0)
    }
  }

  /// Sums of products are exact or made in the same order.
  @Test(arguments: geometries, [Precision.float32, .mixed])
  func enginesAndThreadsGiveTheSameBits(_ geometry: ConvolutionGeometry, _ precision: Precision) {
    let operands = Operands(geometry, samples: 5)
    let expected = operands.results(of: convolution(geometry, precision, .plain))
    func compare(_ engine: TileEngine, threads: Int) {
      let actual = withThreads(threads) {
        operands.results(of: convolution(geometry, precision, engine))
      }
      for (index, what) in Operands.names.enumerated() {
        expectEqual(actual[index], expected[index], "\(what) by \(engine), \(threads) threads")
      }
    }
    for engine in TileEngine.allCases where engine.isAvailable { compare(engine, threads: 1) }
    for threads in [2, 3, 9] { compare(.best, threads: threads) }
  }

  /// What processors with AMX execute, on those without. The emulator counts for one at a time.
  @Test(.enabled(if: amx_emulator_exists() != 0), .serialized, arguments: [0, 3, 6])
  func theInstructionsOfAMXGiveTheSameBits(_ index: Int) {
    let operands = Operands(Self.geometries[index], samples: 2)
    let expected = operands.results(of: convolution(operands.geometry, .float32, .plain))
    amx_emulator_start()
    let actual = operands.results(of: convolution(operands.geometry, .float32, .amx))
    #expect(amx_emulator_stop() > 0)
    for (index, what) in Operands.names.enumerated() {
      expectEqual(actual[index], expected[index], what)
    }
  }

  /// As exact as single precision, and nearly so with two parts.
  @Test func errorsAreThoseOfThePrecision() {
    let operands = Operands(Self.geometries[2], samples: 4)
    let plain = PlainConvolution(geometry: operands.geometry)
    let y = zip(
      plain.forward(
        operands.x, weights: operands.weights, bias: operands.bias, samples: operands.samples),
      operands.gy
    ).map { $0 + $1 }
    let gx = plain.backwardInput(operands.gy, weights: operands.weights, samples: operands.samples)
    for (precision, tolerance, inputTolerance) in [
      (Precision.float32, 5e-7 as Float, 1e-6 as Float), (.mixed, 1e-4, 1e-2),
    ] {
      let actual = operands.results(of: convolution(operands.geometry, precision))
      expectClose(actual[0], y, tolerance: tolerance, "y, \(precision)")
      expectClose(actual[3], gx, tolerance: inputTolerance, "gx, \(precision)")
      guard precision == .mixed else { continue }
      #expect(zip(actual[0], y).contains { abs($0 - $1) > 1e-6 })
      #expect(zip(actual[3], gx).contains { abs($0 - $1) > 1e-4 })
    }
  }

  /// Gradients that neurons have rounded are taken as they are.
  @Test func roundedGradientsGiveTheSame() {
    let geometry = Self.geometries[3]
    let operands = Operands(geometry, samples: 2)
    let convolution = convolution(geometry, .mixed)
    let arena = convolution.arena
    var gy = Tensor(geometry.output(samples: 2), operands.gy, in: arena)
    let (one, zero) = (
      view([Float](repeating: 1, count: gy.shape.c)), view([Float](repeating: 0, count: gy.shape.c))
    )
    gy.combine(
      a: one, b: zero, with: .exact(SharedTensor(gy.copy(in: arena))), c: zero, rounding: true)
    #expect(gy.rounded != nil)
    var gx = Tensor(geometry.input(samples: 2), in: arena)
    convolution.backwardInput(gy, weights: .init(view(operands.weights)), into: &gx)
    expectEqual(gx.elements, operands.results(of: self.convolution(geometry, .mixed))[3], "gx")
  }

  /// A number that is not finite must not vanish in the fixed-point numbers of its channel.
  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func whatIsNotFiniteShows(_ value: Float) {
    let geometry = Self.geometries[3]
    let operands = Operands(geometry, samples: 2)
    let (convolution, output) = (convolution(geometry), geometry.output(samples: 2))
    let spikes = operands.spikes(in: convolution.arena)
    var weights = operands.weights
    weights[40] = value  // of output channel 7
    var y = Tensor(output, in: convolution.arena)
    convolution.forward(
      spikes, weights: .init(view(weights)), bias: nil, into: &y, accumulating: false)
    var gy = operands.gy
    gy[40] = value
    let gw = FlatBuffer(count: geometry.weightCount).all
    convolution.backwardWeights(
      spikes, Tensor(output, gy, in: convolution.arena), into: gw, bias: nil)
    for (values, what) in [(y.elements, "y"), (gw.elements, "gw")] {
      for (index, element) in values.enumerated() {
        #expect(element.isFinite == (index % geometry.outputChannels != 7), "\(what) \(index)")
      }
    }
  }

  /// A channel whose numbers are all 0 or tiny has a unit, too.
  @Test func tinyNumbersVanish() {
    let geometry = Self.geometries[3]
    let operands = Operands(geometry, samples: 1)
    let convolution = convolution(geometry)
    for size in [0, 1e-38 as Float] {
      let weights = view(operands.weights.map { $0 * size })
      var y = Tensor(geometry.output(samples: 1), in: convolution.arena)
      convolution.forward(
        operands.spikes(in: convolution.arena), weights: .init(weights), bias: nil, into: &y,
        accumulating: false)
      #expect(y.elements.allSatisfy { abs($0) < 1e-30 })
      convolution.weightsDidChange()
    }
  }

  @Test(arguments: geometries) func packingAnewGivesTheSame(_ geometry: ConvolutionGeometry) {
    let operands = Operands(geometry, samples: 2)
    let kept = operands.results(of: convolution(geometry, memory: .fast))
    let anew = operands.results(of: convolution(geometry, memory: .lean))
    for (index, what) in Operands.names.enumerated() { expectEqual(anew[index], kept[index], what) }
  }

  @Test func packedWeightsAreRefreshedWhenToldTo() {
    let operands = Operands(Self.geometries[2], samples: 1)
    let convolution = convolution(operands.geometry)
    let weights = view(operands.weights)
    func output() -> [Float] {
      var y = Tensor(operands.geometry.output(samples: 1), in: convolution.arena)
      convolution.forward(
        operands.spikes(in: convolution.arena), weights: .init(weights), bias: nil, into: &y,
        accumulating: false)
      return y.elements
    }
    let before = output()
    weights.assign(weights.elements.map { -2 * $0 })
    #expect(output() == before)
    convolution.weightsDidChange()
    #expect(output() == before.map { -2 * $0 })
  }

  /// Events win where few neurons fire; without AMX tiles are only taken where asked for.
  @Test func theCostModelGoesByProcessorAndDensity() {
    let geometry = ConvolutionGeometry(h: 16, w: 16, inputs: 128, outputs: 128)
    let strided = ConvolutionGeometry(h: 16, w: 16, inputs: 128, outputs: 256, stride: 2)
    func kernel(
      _ table: CostTable, _ pass: ConvolutionPass, at density: Double?,
      _ precision: Precision = .float32, of geometry: ConvolutionGeometry
    ) -> ConvolutionKernel {
      ChosenConvolution(
        ConvolutionBackend.oneDNN.convolution(geometry, arena: testArena()), precision,
        [
          EventConvolution(geometry, precision, keepsPacked: true, arena: testArena()),
          convolution(geometry, precision, .amx),
        ], isForced: false, table: table
      ).kernel(for: pass, samples: 32, density: density)
    }
    for pass in [ConvolutionPass.forward, .backwardWeights] {
      #expect(kernel(.emeraldRapids, pass, at: 0.05, of: geometry) == .events)
      #expect(kernel(.emeraldRapids, pass, at: 0.3, of: geometry) == .tiles)
      for density in [0.05, 0.3, 1] {
        #expect(kernel(.zen5, pass, at: density, of: geometry) != .tiles)
      }
    }
    #expect(kernel(.emeraldRapids, .backwardInput, at: nil, .mixed, of: strided) == .tiles)
    #expect(kernel(.emeraldRapids, .backwardInput, at: nil, of: strided) == .oneDNN)
    #expect(kernel(.emeraldRapids, .forward, at: nil, of: geometry) == .oneDNN)
    #expect(kernel(.zen5, .backwardInput, at: nil, .mixed, of: strided) == .oneDNN)
    let forced = ConvolutionBackend(kernels: .tiles).convolution(geometry, arena: testArena())
    #expect(forced.kernel(for: .forward, samples: 1, density: 0.01) == .tiles)
    #expect(forced.kernel(for: .backwardWeights, samples: 1, density: nil) == .oneDNN)
    #expect(
      forced.kernel(for: .backwardInput, samples: 1, density: nil)
        == (TileEngine.best == .amx ? .tiles : .oneDNN))
  }
}
