import TestSupport
import Testing

@testable import Tensors

struct DropoutMaskTests {
  private static func stream(_ sample: Int) -> RandomStream {
    RandomStream(seed: 0x1234_5678_9ABC_DEF0, purpose: .dropout, time: 7, index: 1 << 24 | sample)
  }

  /// Whether elements pass, by one number of the sample's stream after another.
  private func expected(_ shape: Shape, probability: Float) -> [Bool] {
    (0..<shape.n).flatMap { sample in
      var random = Self.stream(sample)
      return (0..<shape.count / shape.n).map { _ in random.uniform() < 1 - probability }
    }
  }

  @Test(arguments: [1, 3, 16, 64, 70, 128, 200], [0, 0.3, 0.5, 0.999] as [Float])
  func followsTheStream(_ channels: Int, _ probability: Float) {
    let arena = testArena()
    let shape = Shape(n: 5, h: 3, w: 7, c: channels)
    let passes = expected(shape, probability: probability)
    for threads in 1...3 {
      let mask = withThreads(threads) {
        DropoutMask(shape, probability: probability, in: arena, stream: Self.stream)
      }
      #expect((0..<shape.count).map { mask.kept[$0] } == passes)
      #expect(mask.kept.spikeCount == passes.count { $0 })
      // Unused bits are 0.
      let words = SpikeTensor.wordsPerPixel(channels: channels)
      let set = (0..<shape.pixels * words).reduce(0) { $0 + mask.kept.words[$1].nonzeroBitCount }
      #expect(set == passes.count { $0 })
    }
  }

  @Test(arguments: [5, 64, 100], [1, 3]) func dropsAndScales(_ channels: Int, _ threads: Int) {
    let arena = testArena()
    let shape = Shape(n: 1, w: 3 * pixelGrain(channels: channels) + 5, c: channels)
    let mask = DropoutMask(shape, probability: 0.5, in: arena, stream: Self.stream)
    let values = gridFloats(shape.count, seed: 1)
    withThreads(threads) {
      var x = Tensor(shape, values, in: arena)
      mask.apply(to: &x)
      expectEqual(
        x.elements, values.indices.map { mask.kept[$0] ? 2 * values[$0] : 0 }, "values")
      for amplitudes in RandomPlanes.amplitudes {
        let planes = RandomPlanes(shape, amplitudes: amplitudes, in: arena)
        let kept = mask.kept(of: planes.spikes, in: arena)
        #expect(kept.planes.map { $0.spikes.amplitude } == amplitudes.map { 2 * $0 })
        expectEqual(
          kept.unpacked(in: arena).elements,
          planes.values.indices.map { mask.kept[$0] ? 2 * planes.values[$0] : 0 },
          "spikes of \(amplitudes)")
      }
    }
  }
}
