import Testing

@testable import Tensors

struct SpikesTests {
  @Test(arguments: RandomPlanes.amplitudes, [1, 37, 64, 130])
  func planesAddUpToFloats(_ amplitudes: [Float], _ channels: Int) {
    let arena = testArena()
    let shape = Shape(n: 2, h: 3, w: 5, c: channels)
    do {
      let planes = RandomPlanes(shape, amplitudes: amplitudes, in: arena)
      #expect(planes.spikes.shape == shape)
      expectEqual(planes.spikes.unpacked(in: arena).elements, planes.values, "unpacked")

      let start = gridFloats(shape.count, seed: 1)
      var sum = Tensor(shape, start, in: arena)
      sum.add(planes.spikes)
      expectEqual(sum.elements, zip(start, planes.values).map { $0 + $1 }, "sum")
    }
    #expect(arena.bytesInUse == 0)
  }

  /// Each plane knows how many of its elements are spikes.
  @Test(arguments: RandomPlanes.amplitudes) func densitiesAddUpToTheMean(_ amplitudes: [Float]) {
    let shape = Shape(n: 2, h: 3, w: 5, c: 37)
    let planes = RandomPlanes(shape, amplitudes: amplitudes, in: testArena())
    let densities = planes.spikes.planes.map { $0.spikes.density }
    #expect(densities == densities.sorted(by: >) && densities.allSatisfy { $0 > 0 })
    let mean = zip(amplitudes, densities).reduce(0) { $0 + Double($1.0) * $1.1 }
    let expected = planes.values.reduce(0) { $0 + Double($1) } / Double(shape.count)
    #expect(abs(mean - expected) < 1e-12)
  }

  @Test func aSumSharesThePlanesOfItsTerms() {
    let (arena, shape) = (testArena(), Shape(n: 1, h: 2, w: 2, c: 5))
    let one = Spikes(SpikeTensor(shape, in: arena) { $0 % 2 == 0 })
    let other = Spikes(SpikeTensor(shape, in: arena) { $0 % 3 == 0 })
    let before = arena.bytesInUse
    let sum = Spikes(planes: one.planes + other.planes)
    #expect(arena.bytesInUse == before)
    #expect(sum.planes[0] === one.planes[0] && sum.planes[1] === other.planes[0])
    let expected = (0..<shape.count).map { Float(($0 % 2 == 0 ? 1 : 0) + ($0 % 3 == 0 ? 1 : 0)) }
    expectEqual(sum.unpacked(in: arena).elements, expected, "values")
  }
}
