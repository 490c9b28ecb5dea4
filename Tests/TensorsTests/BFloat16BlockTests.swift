import TestSupport
import Testing

@testable import Tensors

/// Rounding to bfloat16 against arithmetic on the numbers' bits, with numbers that leave the kernels'
/// vectors unfilled.
struct BFloat16BlockTests {
  /// The nearest number with eight bits, ties going to the even one.
  static func rounded(_ x: Float) -> Float {
    let lower = Float(bitPattern: x.bitPattern & 0xffff_0000)
    let upper = Float(bitPattern: (x.bitPattern & 0xffff_0000) &+ 0x1_0000)
    let (below, above) = (abs(x - lower), abs(upper - x))
    if below == above { return lower.bitPattern & 0x1_0000 == 0 ? lower : upper }
    return below < above ? lower : upper
  }

  static func floats(_ block: BFloat16Block, count: Int) -> [Float] {
    (0..<count).map { Float(bitPattern: UInt32(block.pointer[$0]) << 16) }
  }

  /// What a pass over a tensor has rounded along the way.
  static func floats(roundedIn tensor: borrowing Tensor) -> [Float]? {
    guard let block = tensor.rounded else { return nil }
    return floats(block, count: tensor.shape.count)
  }

  /// Random numbers, and some that lie between two of bfloat16.
  private func values(_ count: Int) -> [Float] {
    let special: [Float] = [0, -0.0, 1 + 0x1p-8, 1 + 0x3p-8, -1 - 0x1p-8, 1 + 0x1.01p-8, 0x1p-120]
    return (randomFloats(max(count - special.count, 0), seed: 1) + special).suffix(count)
  }

  @Test(arguments: [1, 5, 16, 33, 100_003], [1, 2, 3]) func elementsAreRounded(
    _ count: Int, _ threads: Int
  ) {
    let (arena, values) = (testArena(), values(count))
    withThreads(threads) {
      let block = BFloat16Block.rounding(
        Tensor(Shape(n: 1, c: count), values, in: arena), in: arena)
      expectEqual(Self.floats(block, count: count), values.map(Self.rounded), "rounded")
    }
    #expect(arena.bytesInUse == 0)
  }

  @Test func infinityStays() {
    let arena = testArena()
    let x: [Float] = [.infinity, -.infinity, .nan, .greatestFiniteMagnitude]
    let block = BFloat16Block.rounding(Tensor(Shape(n: 1, c: 4), x, in: arena), in: arena)
    let y = Self.floats(block, count: 4)
    #expect(y[0] == .infinity && y[1] == -.infinity && y[2].isNaN && y[3] == .infinity)
  }

  /// Whatever its other bits are, also where they would carry into the exponent and the sign.
  @Test(arguments: [1, 16, 33]) func everyNaNStaysOne(_ count: Int) {
    let arena = testArena()
    for mantissa: UInt32 in [1, 0x7fff, 0x8000, 0xffff, 0x3f_ffff, 0x40_0000, 0x7f_8000, 0x7f_ffff]
    {
      for sign: UInt32 in [0, 0x8000_0000] {
        let nan = Float(bitPattern: sign | 0x7f80_0000 | mantissa)
        let x = Tensor(Shape(n: 1, c: count), [Float](repeating: nan, count: count), in: arena)
        let y = Self.floats(BFloat16Block.rounding(x, in: arena), count: count)
        #expect(y.allSatisfy { $0.isNaN && $0.sign == nan.sign }, "\(mantissa)")
      }
    }
  }

  @Test(arguments: [1, 24, 64, 100]) func spikesAreUnpacked(_ channels: Int) {
    let (arena, shape) = (testArena(), Shape(n: 3, h: 5, w: 100, c: channels))
    let fires = randomSpikes(shape.count, seed: 2)
    let spikes = SpikeTensor(shape, amplitude: 2.75, in: arena) { fires[$0] }
    withThreads(3) {
      let block = BFloat16Block.unpacking(spikes, in: arena)
      expectEqual(
        Self.floats(block, count: shape.count), fires.map { $0 ? 2.75 : 0 }, "unpacked")
    }
  }

  @Test(arguments: [3, 16, 70]) func combinationsAreRoundedAlongTheWay(_ channels: Int) {
    let (arena, shape) = (testArena(), Shape(n: 2, h: 7, w: 3, c: channels))
    var g = Tensor(shape, randomFloats(shape.count, seed: 1), in: arena)
    let x = SharedTensor(Tensor(shape, randomFloats(shape.count, seed: 2), in: arena))
    let coefficients = (3...5).map { view(randomFloats(channels, seed: $0)) }
    g.combine(
      a: coefficients[0], b: coefficients[1], with: .exact(x), c: coefficients[2], rounding: true)
    expectEqual(Self.floats(roundedIn: g) ?? [], g.elements.map(Self.rounded), "rounded")
  }

  /// Numbers that were rounded before the elements changed must not be used.
  @Test func changesDropRoundedElements() {
    let (arena, shape) = (testArena(), Shape(n: 1, h: 2, w: 2, c: 16))
    func change(_ what: String, _ body: (inout Tensor) -> Void) {
      var g = Tensor(shape, randomFloats(shape.count, seed: 1), in: arena)
      let one = view([Float](repeating: 1, count: shape.c))
      g.combine(
        a: one, b: one, with: .exact(SharedTensor(g.copy(in: arena))), c: one, rounding: true)
      #expect(g.rounded != nil)
      body(&g)
      #expect(g.rounded == nil, "\(what)")
    }
    let other = SharedTensor(Tensor(shape, randomFloats(shape.count, seed: 2), in: arena))
    let spikes = SpikeTensor(shape, in: arena) { $0 % 3 == 0 }
    change("subscript") { $0[3] = 1 }
    change("fill") { $0.fill(1) }
    change("add") { $0.add(other.tensor) }
    change("add spikes") { $0.add(spikes) }
    let mask = DropoutMask(shape, probability: 0.5, in: arena) { _ in
      RandomStream(seed: 1, purpose: .dropout)
    }
    change("dropout") { mask.apply(to: &$0) }
    let one = view([Float](repeating: 1, count: shape.c))
    change("combine") { $0.combine(a: one, b: one, with: .exact(other), c: one) }
    let step = MembraneDynamics.Step(
      membrane: Membrane(
        potential: Tensor(shape, randomFloats(shape.count, seed: 3), in: arena), threshold: 1))
    let dynamics = MembraneDynamics(decay: 0.5, threshold: 1, surrogate: .init(.triangle))
    change("neuron") {
      _ = dynamics.backward(
        &$0, by: .step(step), input: .exact(other), mean: one,
        sums: ChannelSums(channels: 16))
    }
    change("neuron without normalisation") {
      _ = dynamics.backward(&$0, by: .step(step), scale: one)
    }
    let geometry = ConvolutionGeometry(
      input: shape, outputChannels: 16, window: SlidingWindow(kernel: 1))
    let weights = view(randomFloats(geometry.weightCount, seed: 4))
    for backend in [ConvolutionBackend.oneDNN, .openBLAS] {
      let convolution = backend.convolution(geometry, arena: arena)
      change("forward") {
        convolution.forward(
          other.tensor, weights: .init(weights), bias: nil, into: &$0, accumulating: true)
      }
      change("forward of spikes") {
        convolution.forward(
          spikes, weights: .init(weights), bias: nil, into: &$0, accumulating: true)
      }
      change("backward") {
        convolution.backwardInput(other.tensor, weights: .init(weights), into: &$0)
      }
    }
  }
}
