import TestSupport
import Testing

@testable import Datasets

struct LoadingBenchmarkTests {
  private func benchmark(_ source: any ImageSource) throws -> LoadingBenchmark {
    let transform = try ImageTransform(
      augmentation: .preset(.cifar), normalization: .unit, isTraining: true, imageSize: 16,
      channels: 3)
    return LoadingBenchmark(
      ImageInput(source, transform),
      sampler: Sampler(
        sampleCount: source.count, globalBatch: 2, rank: 0, rankCount: 1,
        order: .shuffled(seed: 1)),
      seed: 1)
  }

  @Test func everyStageHasARate() throws {
    let source = ImagesInMemory(
      images: try ["420.jpg", "gray.jpg", "palette.png"].map(Fixture.bytes))
    let benchmark = try benchmark(source)
    #expect(benchmark.stages == [.read, .decoded, .augmented, .delivered])
    for stage in benchmark.stages {
      for workers in [1, 3] {
        let rate = try benchmark.rate(stage, workers: workers, seconds: 0.02)
        #expect(rate.perSecond > 0 && rate.perSecond.isFinite, "\(stage)")
        #expect(rate.perProcessorSecond > 0, "\(stage)")
      }
    }
  }

  @Test func aDamagedImageEndsTheMeasurement() throws {
    let benchmark = try benchmark(
      ImagesInMemory(images: [try Fixture.bytes("420.jpg"), [1, 2, 3]]))
    #expect(try benchmark.rate(.read, workers: 2, seconds: 0.02).perSecond > 0)
    for stage in [LoadingBenchmark.Stage.decoded, .augmented, .delivered] {
      #expect(throws: DatasetError.self) {
        try benchmark.rate(stage, workers: 2, seconds: 0.02)
      }
    }
  }
}
