import TestSupport
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

      sum = Tensor(shape, start, in: arena)
      sum.add(planes.spikes, afterTimes: 0.25)
      expectEqual(sum.elements, zip(start, planes.values).map { $0 / 4 + $1 }, "decayed sum")
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

  /// Numbers that the planes of both terms hold, the most included, in as few planes as they need.
  @Test(
    arguments: [(1, 1), (1, 2), (2, 1), (3, 3), (3, 4), (7, 8), (1, 14)],
    [(1, 20_000, 2), (37, 20, 1), (64, 20, 1), (130, 20, 2)])
  func numbersAreAdded(
    _ levels: (first: Int, second: Int), _ setting: (channels: Int, pixels: Int, threads: Int)
  ) {
    let (arena, shape) = (testArena(), Shape(n: 1, w: setting.pixels, c: setting.channels))
    let a = randomNumbers(shape.count, upTo: levels.first, seed: 1)
    let b = randomNumbers(shape.count, upTo: levels.second, seed: 2)
    let first = Spikes(shape, levels: levels.first, amplitude: 1.5, a, in: arena)
    let second = Spikes(shape, levels: levels.second, amplitude: 1.5, b, in: arena)
    let sum = withThreads(setting.threads) { first.adding(second, in: arena) }
    #expect(sum.levels == levels.first + levels.second)
    #expect(sum.planes.count == Spikes.planes(levels: levels.first + levels.second))
    #expect(first.count == a.reduce(0, +) && second.count == b.reduce(0, +))
    #expect(sum.count == first.count + second.count)
    expectEqual(
      sum.unpacked(in: arena).elements, zip(a, b).map { 1.5 * Float($0 + $1) }, "sum")
  }

  @Test func planesAreAsManyAsTheirNumbersNeed() {
    #expect([1, 2, 3, 4, 7, 8, 15].map(Spikes.planes) == [1, 2, 2, 3, 3, 4, 4])
  }

  /// A sum of spikes that stand for different values has the planes of its terms.
  @Test func aSumOfUnlikeSpikesSharesThePlanesOfItsTerms() {
    let (arena, shape) = (testArena(), Shape(n: 1, h: 2, w: 2, c: 5))
    let one = Spikes(SpikeTensor(shape, in: arena) { $0 % 2 == 0 })
    let other = Spikes(SpikeTensor(shape, amplitude: 3, in: arena) { $0 % 3 == 0 })
    let before = arena.bytesInUse
    var sum = one.adding(other, in: arena)
    #expect(arena.bytesInUse == before)
    #expect(sum.levels == nil && sum.planes.count == 2 && sum.count == 10 + 7)
    #expect(sum.planes[0] === one.planes[0] && sum.planes[1] === other.planes[0])
    let expected = (0..<shape.count).map { Float(($0 % 2 == 0 ? 1 : 0) + ($0 % 3 == 0 ? 3 : 0)) }
    expectEqual(sum.unpacked(in: arena).elements, expected, "values")

    // A number of spikes is not like such a sum either.
    sum = one.adding(sum, in: arena)
    #expect(sum.levels == nil && sum.planes.count == 3 && sum.planes[0] === sum.planes[1])
  }
}
