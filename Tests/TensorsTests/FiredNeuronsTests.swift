import TestSupport
import Testing

@testable import Tensors

struct FiredNeuronsTests {
  @Test(arguments: [[1], [1, 2, 4]] as [[Float]], [(1, 5, 1), (37, 5, 1), (130, 600, 2)])
  func anySpikeOfAnySampleCounts(
    _ amplitudes: [Float], _ setting: (channels: Int, pixels: Int, threads: Int)
  ) {
    let arena = testArena()
    let layer = Shape(n: 1, h: 1, w: setting.pixels, c: setting.channels)
    var fired = FiredNeurons(layer)
    #expect(fired.count == 0)
    var expected = Set<Int>()
    for samples in [1, 3] {
      let values = (0..<samples * layer.count).map { $0 * 7919 % 31 < 2 ? $0 % 3 : 0 }
      let spikes = Spikes(
        planes: amplitudes.indices.map { plane in
          SharedSpikes(
            SpikeTensor(layer.withSamples(samples), in: arena) { values[$0] == plane + 1 })
        })
      withThreads(setting.threads) { fired.add(spikes) }
      for (index, value) in values.enumerated() where (1...amplitudes.count).contains(value) {
        expected.insert(index % layer.count)
      }
      #expect(fired.count == expected.count)
    }
    #expect(expected.count < layer.count || layer.count < 100)
  }
}
