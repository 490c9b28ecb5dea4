import Testing

@testable import Tensors

struct SpikeTensorTests {
  static let channelCounts = [1, 4, 16, 37, 64, 65, 130]

  @Test(arguments: channelCounts) func bitsArePackedByPixel(_ channels: Int) {
    let arena = testArena()
    let shape = Shape(n: 2, h: 3, w: 2, c: channels)
    let expected = randomSpikes(shape.count, seed: channels)
    let spikes = SpikeTensor(shape, in: arena) { expected[$0] }
    let words = SpikeTensor.wordsPerPixel(channels: channels)
    #expect(words == [1: 1, 4: 1, 16: 1, 37: 1, 64: 1, 65: 2, 130: 3][channels])
    #expect(spikes.bytes == shape.pixels * words * 8)
    #expect((0..<shape.count).map { spikes[$0] } == expected)
    // The layout, as it is documented, unused bits included.
    for pixel in 0..<shape.pixels {
      for bit in 0..<words * 64 {
        let isSet = spikes.words[pixel * words + bit / 64] >> UInt64(bit % 64) & 1 == 1
        #expect(isSet == (bit < channels && expected[pixel * channels + bit]))
      }
    }
  }

  @Test(arguments: channelCounts) func bitsAreSetOneByOne(_ channels: Int) {
    let shape = Shape(n: 1, h: 2, w: 2, c: channels)
    var spikes = SpikeTensor(shape, in: testArena()) { _ in false }
    let index = shape.count - 1
    spikes[index] = true
    #expect((0..<shape.count).filter { spikes[$0] } == [index])
    spikes[index] = true
    spikes[0] = true
    spikes[index] = false
    #expect((0..<shape.count).filter { spikes[$0] } == (index == 0 ? [] : [0]))
  }

  @Test func copiesAndIntersections() {
    let arena = testArena()
    let shape = Shape(n: 1, h: 3, w: 3, c: 70)
    let (a, b) = (randomSpikes(shape.count, seed: 1), randomSpikes(shape.count, seed: 2))
    let spikes = SpikeTensor(shape, amplitude: 3, in: arena) { a[$0] }
    let copy = spikes.copy(amplitude: 0.5, in: arena)
    #expect(copy.amplitude == 0.5 && copy.spikeCount == spikes.spikeCount)
    #expect((0..<shape.count).map { copy[$0] } == a)
    let both = spikes.intersection(
      SpikeTensor(shape, in: arena) { b[$0] }, amplitude: 0.25, in: arena)
    let expected = zip(a, b).map { $0 && $1 }
    #expect(both.amplitude == 0.25 && both.spikeCount == expected.count { $0 })
    #expect((0..<shape.count).map { both[$0] } == expected)
    #expect(spikes.amplitude == 3)
    #expect((0..<shape.count).map { spikes[$0] } == a)
  }
}
