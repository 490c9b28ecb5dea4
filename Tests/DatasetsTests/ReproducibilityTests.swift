import Testing

@testable import Datasets

/// Whatever is random about a batch depends on the seed, the epoch and the sample alone.
struct ReproducibilityTests {
  /// What an iteration gave, joined over the ranks.
  private struct GlobalBatch: Equatable {
    var labels: [Int32] = []
    var partners: [Int32] = []
    var share: Float?
    var pixels: [UInt64] = []
  }

  private static let seed: UInt64 = 11
  private let digits: any ImageSource

  init() throws {
    digits = try ImageDataset.open(path: EmbeddedData.mnistPath(), split: "val")
  }

  private func loader(
    rank: Int, of ranks: Int, workers: Int, mixing: BatchMixing, prefetch: Int
  ) throws -> DataLoader {
    var jitter = ColorJitter()
    (jitter.brightness, jitter.contrast) = (0.4, 0.4)
    var erasing = RandomErasing()
    erasing.value = .random
    return try DataLoader(
      ImageInput(
        digits,
        ImageTransform(
          steps: [
            RandomResizedCrop(), RandomHorizontalFlip(), jitter, AutoAugment(.cifar10),
            RandAugment(), TrivialAugment(),
            RandomCrop(padding: 2), erasing, Cutout(), GrayCutout(),
          ], normalization: .mnist, imageSize: 20, channels: 1)),
      sampler: Sampler(
        sampleCount: digits.count, globalBatch: 47, rank: rank, rankCount: ranks,
        order: .shuffled(seed: Self.seed)),
      mixing: mixing, seed: Self.seed, workers: workers, prefetch: prefetch)
  }

  /// The iterations of an epoch from `first` on, as several ranks together see them.
  private func batches(
    ranks: Int, workers: Int, mixing: BatchMixing = BatchMixing(), epoch: Int = 2, first: Int = 0,
    prefetch: Int = 2
  ) throws -> [GlobalBatch] {
    var batches: [GlobalBatch] = []
    for rank in 0..<ranks {
      let loader = try loader(
        rank: rank, of: ranks, workers: workers, mixing: mixing, prefetch: prefetch)
      loader.begin(epoch: epoch, iteration: first)
      while let batch = try loader.next() {
        let index = batch.iteration - first
        if rank == 0 { batches.append(GlobalBatch()) }
        #expect(batch.offset == batches[index].labels.count)
        batches[index].labels += batch.labels
        if let mixture = batch.mixture {
          #expect(rank == 0 || batches[index].share == mixture.share)
          batches[index].share = mixture.share
          batches[index].partners += mixture.partnerLabels
        }
        // One hash an image (FNV-1a over the bits of its values).
        for position in 0..<batch.count {
          let hash = batch.frames[position * 400..<(position + 1) * 400].reduce(
            0xcbf2_9ce4_8422_2325 as UInt64
          ) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01b3 }
          batches[index].pixels.append(hash)
        }
      }
    }
    return batches
  }

  private static let mixings = [
    BatchMixing(), BatchMixing(mixupAlpha: 0.4), BatchMixing(cutmixAlpha: 1),
    BatchMixing(mixupAlpha: 0.2, cutmixAlpha: 1),
  ]

  @Test("Ranks and workers do not matter", arguments: mixings)
  func ranksAndWorkersDoNotMatter(mixing: BatchMixing) throws {
    let alone = try batches(ranks: 1, workers: 0, mixing: mixing)
    #expect(alone.count == 11 && alone.flatMap(\.labels).count == digits.count)
    for (ranks, workers, prefetch) in [(1, 3, 1), (2, 1, 2), (3, 0, 2), (3, 2, 3)] {
      let together = try batches(
        ranks: ranks, workers: workers, mixing: mixing, prefetch: prefetch)
      #expect(together == alone, "\(ranks) ranks, \(workers) workers")
    }
    #expect(try batches(ranks: 1, workers: 1, mixing: mixing, epoch: 3) != alone)
  }

  @Test("A restart in mid-epoch does not matter", arguments: mixings)
  func restartsDoNotMatter(mixing: BatchMixing) throws {
    let whole = try batches(ranks: 1, workers: 2, mixing: mixing)
    for (ranks, first) in [(1, 4), (2, 1), (3, 10)] {
      let rest = try batches(ranks: ranks, workers: 1, mixing: mixing, first: first)
      #expect(rest == Array(whole[first...]))
    }
  }

  @Test func mixedSamplesAreMadeOfThePlainOnes() throws {
    for mixing in Self.mixings.dropFirst() {
      let plain = try loader(rank: 0, of: 1, workers: 0, mixing: BatchMixing(), prefetch: 1)
      let mixed = try loader(rank: 0, of: 1, workers: 2, mixing: mixing, prefetch: 2)
      plain.begin(epoch: 1)
      mixed.begin(epoch: 1)
      while let batch = try mixed.next() {
        let original = try #require(try plain.next())
        let mixture = try #require(
          mixing.mixture(seed: Self.seed, epoch: 1, iteration: batch.iteration, imageSize: 20))
        let count = batch.count
        #expect(batch.mixture?.share == mixture.share)
        #expect(Array(batch.labels) == Array(original.labels))
        for position in 0..<count {
          let partner = (position + count - 1) % count
          var frame = Array(original.frames[position * 400..<(position + 1) * 400])
          let other = Array(original.frames[partner * 400..<(partner + 1) * 400])
          mixture.apply(to: &frame, partner: other, count: 400)
          #expect(Array(batch.frames[position * 400..<(position + 1) * 400]) == frame)
          #expect(batch.mixture?.partnerLabels[position] == original.labels[partner])
        }
      }
      #expect(try plain.next()?.iteration == nil)
    }
  }
}
