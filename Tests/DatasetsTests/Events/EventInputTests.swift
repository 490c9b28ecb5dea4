import TestSupport
import Testing

@testable import Datasets

struct EventInputTests {
  private let directory: TemporaryDirectory
  private let source: EventFrames
  private let timesteps = 3

  init() throws {
    directory = try TemporaryDirectory()
    for digit in 0..<2 {
      for number in 0..<7 {
        let pixels = EventFixture.pixels(count: 200, size: 34, seed: 10 * digit + number)
        try directory.write(EventFixture.atis(pixels), to: "Train/\(digit)/\(number).bin")
      }
    }
    source = try EventFrames(
      .nmnist, path: directory.path, split: .training, rule: .number(3, by: .number),
      timesteps: 3, threads: 2)
  }

  private func loader(
    _ transform: EventTransform, ranks: Int = 1, rank: Int = 0, workers: Int = 0
  ) -> DataLoader {
    DataLoader(
      EventInput(source, transform),
      sampler: Sampler(
        sampleCount: source.count, globalBatch: 5, rank: rank, rankCount: ranks,
        order: .shuffled(seed: 3)),
      seed: 8, workers: workers)
  }

  /// The samples of an epoch by iteration, each as its frames one after the other, taken out of
  /// batches `[T, N, H, W, C]`.
  private func samples(_ loader: DataLoader, frameCount: Int) throws -> [[[Float]]] {
    var iterations: [[[Float]]] = []
    loader.begin(epoch: 1)
    while let batch = try loader.next() {
      #expect(batch.timesteps == timesteps)
      #expect(batch.frames.count == timesteps * batch.count * frameCount)
      iterations.append(
        (0..<batch.count).map { sample in
          (0..<timesteps).flatMap { timestep in
            let start = (timestep * batch.count + sample) * frameCount
            return Array(batch.frames[start..<start + frameCount])
          }
        })
    }
    return iterations
  }

  private var varied: EventTransform {
    EventTransform(
      augmentation: .init(flips: true, shift: 3, roll: 4), normalization: .maximum, imageSize: 20)
  }

  @Test(arguments: [1, 2, 3], [0, 2])
  func ranksTogetherDeliverWhatOneWould(ranks: Int, workers: Int) throws {
    let alone = try samples(loader(varied), frameCount: 20 * 20 * 2)
    let parts = try (0..<ranks).map {
      try samples(loader(varied, ranks: ranks, rank: $0, workers: workers), frameCount: 20 * 20 * 2)
    }
    #expect(alone.map(\.count) == [5, 5, 4])
    for iteration in alone.indices {
      #expect(parts.flatMap { $0[iteration] } == alone[iteration])
    }
  }

  @Test func withoutChangesFramesAreTheStoredOnes() throws {
    let transform = EventTransform(augmentation: nil, normalization: .none, imageSize: 34)
    let loader = loader(transform)
    let delivered = try samples(loader, frameCount: 34 * 34 * 2).flatMap { $0 }
    let order = loader.sampler.plan(epoch: 1).samples
    var (bytes, frames): ([UInt8], [Float]) = ([], [])
    for (sample, values) in zip(order, delivered) {
      try source.file.read(Int(sample), name: "", bytes: &bytes, frames: &frames)
      #expect(values == frames)
    }
  }

  @Test func normalizedByTheLargest() throws {
    let all = try samples(loader(varied), frameCount: 20 * 20 * 2).flatMap { $0 }
    #expect(all.allSatisfy { abs(($0.max() ?? 0) - 1) < 1e-6 && ($0.min() ?? -1) >= 0 })
  }
}
