import Testing

@testable import Tensors

struct SpikesUnrolledTests {
  @Test(arguments: [1, 2, 3, 4, 7, 15], [1, 37, 130])
  func planeKHasWhatFiresMoreThanKTimes(_ levels: Int, _ channels: Int) {
    let arena = testArena()
    let shape = Shape(n: 2, h: 3, w: 5, c: channels)
    do {
      let numbers = (0..<shape.count).map { $0 * 7 % (levels + 1) }
      let planes = (0..<Spikes.planes(levels: levels)).map { plane in
        SharedSpikes(
          SpikeTensor(shape, amplitude: 0.5 * Float(1 << plane), in: arena) {
            numbers[$0] >> plane & 1 == 1
          })
      }
      let spikes = Spikes(planes: planes, levels: levels)
      let unrolled = spikes.unrolled(in: arena)
      #expect(unrolled.planes.count == levels)
      for (k, plane) in unrolled.planes.enumerated() {
        #expect(plane.spikes.amplitude == 0.5)
        #expect((0..<shape.count).allSatisfy { plane.spikes[$0] == (numbers[$0] > k) }, "\(k)")
        #expect(plane.spikes.spikeCount == numbers.count { $0 > k })
      }
      #expect(unrolled.count == spikes.count)
      expectEqual(
        unrolled.unpacked(in: arena).elements, spikes.unpacked(in: arena).elements, "values")
    }
    #expect(arena.bytesInUse == 0)
  }
}
