import TestSupport
import Testing

@testable import Tensors

struct SpikeTensorDenseTests {
  @Test(arguments: [1, 3, 10, 16, 24, 64, 65, 100], [1, 2, 3])
  func spikesBecomeFloats(_ channels: Int, _ threads: Int) {
    let arena = testArena()
    let shape = Shape(n: 1, w: 3 * pixelGrain(channels: channels) + 5, c: channels)
    let fired = randomSpikes(shape.count, seed: channels)
    let values = gridFloats(shape.count, seed: 1)
    let spikes = SpikeTensor(shape, amplitude: 2.75, in: arena) { fired[$0] }
    withThreads(threads) {
      expectEqual(spikes.unpacked(in: arena).elements, fired.map { $0 ? 2.75 : 0 }, "unpacked")

      var sum = Tensor(shape, values, in: arena)
      sum.add(spikes)
      expectEqual(sum.elements, zip(values, fired).map { $0 + ($1 ? 2.75 : 0) }, "sum")

      sum = Tensor(shape, values, in: arena)
      sum.add(spikes, afterTimes: 0.25)
      expectEqual(sum.elements, zip(values, fired).map { $0 / 4 + ($1 ? 2.75 : 0) }, "decayed sum")
    }
  }
}
