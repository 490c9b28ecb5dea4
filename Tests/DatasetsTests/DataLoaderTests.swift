import Foundation
import Synchronization
import Testing

@testable import Datasets

/// A batch copied out of the loader's memory.
private struct BatchCopy: Equatable {
  let iteration: Int
  let offset: Int
  let globalCount: Int
  let labels: [Int32]
  let images: [Float]
}

struct DataLoaderTests {
  private let digits: any ImageSource

  init() throws {
    digits = try ImageDataset.open(path: EmbeddedData.mnistPath(), split: "val")
  }

  private func loader(
    _ source: (any ImageSource)? = nil, workers: Int, prefetch: Int = 2, globalBatch: Int = 32,
    rank: Int = 0, of ranks: Int = 1, order: Sampler.Order = .shuffled(seed: 4),
    progress: @escaping @Sendable () -> Void = {}
  ) throws -> DataLoader {
    let source = source ?? digits
    return try DataLoader(
      ImageInput(
        source,
        ImageTransform(
          augmentation: .preset(.shift), normalization: .mnist, isTraining: true, imageSize: 28,
          channels: 1)),
      sampler: Sampler(
        sampleCount: source.count, globalBatch: globalBatch, rank: rank, rankCount: ranks,
        order: order),
      seed: 9, workers: workers, prefetch: prefetch, progress: progress)
  }

  @Test(arguments: [0, 2]) func everySampleIsASignOfProgress(workers: Int) throws {
    let signs = Mutex(0)
    let loader = try loader(workers: workers) { signs.withLock { $0 += 1 } }
    loader.begin(epoch: 0)
    while try loader.next() != nil {}
    #expect(signs.withLock { $0 } == digits.count)
  }

  private func remaining(_ loader: DataLoader) throws -> [BatchCopy] {
    var copies: [BatchCopy] = []
    while let batch = try loader.next() {
      #expect(batch.labels.count == batch.count)
      #expect(batch.frames.count == batch.count * 28 * 28)
      copies.append(
        BatchCopy(
          iteration: batch.iteration, offset: batch.offset, globalCount: batch.globalCount,
          labels: Array(batch.labels), images: Array(batch.frames)))
    }
    return copies
  }

  private func epoch(_ loader: DataLoader, _ epoch: Int) throws -> [BatchCopy] {
    loader.begin(epoch: epoch)
    return try remaining(loader)
  }

  @Test(
    "Any number of workers gives the same batches", arguments: [(1, 1), (1, 3), (3, 1), (3, 4)])
  func workersDoNotMatter(workers: Int, prefetch: Int) throws {
    let synchronous = try loader(workers: 0)
    let threaded = try loader(workers: workers, prefetch: prefetch)
    for epoch in 0..<2 {
      let expected = try self.epoch(synchronous, epoch)
      #expect(expected.map(\.iteration) == Array(0..<16))
      #expect(try self.epoch(threaded, epoch) == expected)
    }
  }

  @Test("Ranks together deliver what one rank would", arguments: [2, 3])
  func ranksDoNotMatter(ranks: Int) throws {
    let alone = try epoch(loader(workers: 0), 1)
    let together = try (0..<ranks).map {
      try epoch(loader(workers: 2, rank: $0, of: ranks), 1)
    }
    for iteration in alone.indices {
      let parts = together.map { $0[iteration] }
      #expect(parts.flatMap(\.labels) == alone[iteration].labels)
      #expect(parts.flatMap(\.images) == alone[iteration].images)
      #expect(parts.allSatisfy { $0.globalCount == alone[iteration].labels.count })
      #expect(parts[1].offset == parts[0].labels.count)
    }
  }

  @Test func labelsBelongToTheirImages() throws {
    let batches = try epoch(loader(workers: 2, order: .sequential), 0)
    #expect(batches.flatMap(\.labels) == digits.labels)
  }

  @Test func anEpochCanBeginInTheMiddleAndBeLeftInTheMiddle() throws {
    let whole = try epoch(loader(workers: 0), 3)
    let loader = try loader(workers: 3)
    loader.begin(epoch: 3, iteration: 5)
    #expect(try remaining(loader) == Array(whole[5...]))
    for leftAfter in [0, 1, 4] {
      loader.begin(epoch: 1)
      for _ in 0..<leftAfter { _ = try loader.next() }
      #expect(try epoch(loader, 3) == whole)
    }
  }

  @Test func anEpochCanBeginWhileWorkersAreBusyWithAnother() throws {
    let slow = SlowImages(images: digits)
    let whole = try epoch(loader(workers: 0), 3)
    let loader = try loader(slow, workers: 3)
    for _ in 0..<5 {
      loader.begin(epoch: 1)
      _ = try loader.next()  // now the workers are at the batches that follow
      loader.begin(epoch: 3)
      for expected in whole[..<3] {
        #expect(try loader.next().map { Array($0.frames) } == expected.images)
      }
    }
  }

  @Test func augmentationChangesFromEpochToEpoch() throws {
    let loader = try loader(workers: 2, order: .sequential)
    let (first, second) = try (epoch(loader, 0), epoch(loader, 1))
    #expect(first.map(\.labels) == second.map(\.labels))
    #expect(zip(first, second).allSatisfy { $0.images != $1.images })
  }

  @Test func aRankWithoutSamplesGetsAnEmptyBatch() throws {
    let source = ImagesInMemory(images: Array(repeating: try Fixture.bytes("gray.png"), count: 5))
    for workers in [0, 2] {
      let batches = try epoch(loader(source, workers: workers, globalBatch: 4, of: 3), 0)
      #expect(batches.map(\.labels.count) == [1, 0])
      #expect(batches.map(\.globalCount) == [4, 1])
    }
  }

  @Test(arguments: [0, 1, 3])
  func anErrorComesWithItsBatchAndTheRestFollows(workers: Int) throws {
    var images = Array(repeating: try Fixture.bytes("gray.png"), count: 40)
    images[17] = []
    images[19] = Array("not an image".utf8)
    let loader = try loader(
      ImagesInMemory(images: images), workers: workers, globalBatch: 8, order: .sequential)
    loader.begin(epoch: 0)
    #expect(try loader.next()?.iteration == 0)
    #expect(try loader.next()?.iteration == 1)
    // Of two bad samples the first is reported, whichever worker is faster.
    #expect(throws: DatasetError.undecodable(sample: "image 17", reason: "the file is empty")) {
      try loader.next()
    }
    #expect(try remaining(loader).map(\.iteration) == [3, 4])
  }

  @Test func threadsEndWithTheLoader() throws {
    weak var source: SharedImages?
    do {
      let images = SharedImages(image: try Fixture.bytes("gray.png"))
      source = images
      let loader = try loader(images, workers: 3, globalBatch: 8)
      loader.begin(epoch: 0)
      _ = try loader.next()
    }
    // The threads held the source; a loader that is gone has waited for them.
    #expect(source == nil)
  }

  @Test func aBatchKeepsItsMemoryBeyondTheLoader() throws {
    var loader: DataLoader? = try loader(workers: 1)
    loader?.begin(epoch: 0)
    let batch = try #require(try loader?.next())
    let before = Array(batch.frames)
    loader = nil
    #expect(Array(batch.frames) == before)
  }
}

/// Another data set, of which every image takes a moment.
private struct SlowImages: ImageSource {
  let images: any ImageSource
  var location: String { images.location }
  var classes: [String] { images.classes }
  var labels: [Int32] { images.labels }

  func name(of index: Int) -> String { images.name(of: index) }

  func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    usleep(1000)
    try images.read(index, into: &bytes)
  }
}

/// A data set of 64 equal images, of which one can see when nobody holds it any more.
private final class SharedImages: ImageSource {
  let location = "memory"
  let classes = ["only"]
  let labels = [Int32](repeating: 0, count: 64)
  private let image: [UInt8]

  init(image: [UInt8]) { self.image = image }

  func name(of index: Int) -> String { "image \(index)" }

  func read(_ index: Int, into bytes: inout [UInt8]) { bytes = image }
}
