import Synchronization
import Testing

@testable import Datasets

struct BadSamplesTests {
  private func error(_ sample: Int) -> DatasetError {
    .undecodable(sample: "\(sample)", reason: "it is bad")
  }

  /// Reads samples of which some are bad; returns which sample was read in the end.
  private func read(
    _ samples: BadSamples, _ sample: Int, among range: Range<Int> = 0..<10, bad: Set<Int>
  ) throws -> (sample: Int, isReplaced: Bool) {
    var last = -1
    let isReplaced = try samples.read(sample, substitutes: range) {
      (candidate) throws(DatasetError) in
      if bad.contains(candidate) { throw error(candidate) }
      last = candidate
    }
    return (last, isReplaced)
  }

  @Test func failingNamesTheSample() {
    let samples = BadSamples(.fail)
    #expect(throws: error(3)) { try read(samples, 3, bad: [3]) }
    #expect(throws: Never.self) { try read(samples, 2, bad: [3]) }
  }

  @Test func skippingTakesTheNextGoodSampleAndLogsEachBadOneOnce() throws {
    let logged = Mutex<[DatasetError]>([])
    let samples = BadSamples(.skip(limit: 3) { error in logged.withLock { $0.append(error) } })
    for _ in 0..<2 {
      #expect(try read(samples, 3, bad: [3, 4, 9]) == (5, true))
      #expect(try read(samples, 4, bad: [3, 4, 9]) == (5, true))
      #expect(try read(samples, 9, bad: [3, 4, 9]) == (0, true))
      #expect(try read(samples, 9, among: 6..<10, bad: [3, 4, 9]) == (6, true))
      #expect(try read(samples, 5, bad: [3, 4, 9]) == (5, false))
    }
    #expect(logged.withLock { $0 } == [error(3), error(4), error(9)])
  }

  @Test func tooManyAreAnError() throws {
    let samples = BadSamples(.skip(limit: 1) { _ in })
    #expect(try read(samples, 3, bad: [3]) == (4, true))
    #expect(throws: DatasetError.tooManyBadSamples(limit: 1, last: "\(error(6))")) {
      try read(samples, 6, bad: [3, 6])
    }
  }

  @Test func onlyBadSamplesAreAnError() {
    let samples = BadSamples(.skip(limit: 100) { _ in })
    #expect(throws: error(7)) { try read(samples, 8, among: 6..<9, bad: [6, 7, 8]) }
  }

  @Test("A loader's batches keep their size, and are the same on any ranks", arguments: [0, 3])
  func loaders(workers: Int) throws {
    var images = Array(repeating: try Fixture.bytes("gray.png"), count: 24)
    images[17] = []
    images[18] = Array("not an image".utf8)
    images[23] = Array(images[0].prefix(40))
    let source = ImagesInMemory(images: images)
    let transform = try ImageTransform(
      augmentation: .preset(.none), normalization: .mnist, isTraining: false, imageSize: 28,
      channels: 1)
    let logged = Mutex(0)
    func batches(rank: Int, of ranks: Int) throws -> [(count: Int, replaced: Int)] {
      let loader = DataLoader(
        ImageInput(source, transform),
        sampler: Sampler(
          sampleCount: 24, globalBatch: 8, rank: rank, rankCount: ranks, order: .sequential),
        seed: 1, workers: workers, onBadSample: .skip(limit: 3) { _ in logged.withLock { $0 += 1 } }
      )
      var batches: [(Int, Int)] = []
      for epoch in 0..<2 {
        loader.begin(epoch: epoch)
        while let batch = try loader.next() { batches.append((batch.count, batch.replaced)) }
      }
      return batches
    }
    let alone = try batches(rank: 0, of: 1)
    #expect(alone.map(\.count) == [8, 8, 8, 8, 8, 8])
    #expect(alone.map(\.replaced) == [0, 0, 3, 0, 0, 3])
    #expect(logged.withLock { $0 } == 3)
    let together = try (0..<2).map { try batches(rank: $0, of: 2) }
    #expect(together.allSatisfy { $0.map(\.count) == [4, 4, 4, 4, 4, 4] })
    #expect(zip(together[0], together[1]).map { $0.replaced + $1.replaced } == [0, 0, 3, 0, 0, 3])
  }
}
