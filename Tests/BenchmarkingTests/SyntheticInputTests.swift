import Configuration
import Datasets
import Testing

@testable import Benchmarking

struct SyntheticInputTests {
  private func batch(_ overrides: [String]) throws -> (Configuration, [Float], [Int32]) {
    let configuration = try Configuration(file: nil, overrides: overrides)
      .completedForSyntheticData()
    let loader = configuration.syntheticLoader(samples: configuration.training.globalBatch)
    let batch = try #require(try loader.next())
    return (configuration, Array(batch.frames), Array(batch.labels))
  }

  @Test func imagesAreNoiseOfUnitVariance() throws {
    let (_, values, labels) = try batch([
      "training.global_batch=5", "data.image_size=20", "model.input_channels=3", "model.classes=3",
    ])
    #expect(values.count == 5 * 20 * 20 * 3 && labels == [0, 1, 2, 0, 1])
    let mean = values.reduce(0, +) / Float(values.count)
    let variance = values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
    #expect(abs(mean) < 0.1 && abs(variance - 1) < 0.1)
  }

  @Test func eventsAreFewAndDifferFromStepToStep() throws {
    let (_, values, _) = try batch([
      "training.global_batch=2", "data.image_size=20", "model.input_channels=2",
      "method.timesteps=4",
    ])
    #expect(values.count == 4 * 2 * 20 * 20 * 2)
    #expect(values.allSatisfy { $0 == 0 || $0 == 1 })
    let share = values.reduce(0, +) / Float(values.count)
    #expect(abs(share - 0.05) < 0.02)
    #expect(Array(values[0..<1600]) != Array(values[1600..<3200]))
  }

  @Test(arguments: [
    ([], 1), (["data.normalization=cifar10"], 3), (["data.normalization=imagenet"], 3),
    (["data.normalization=unit"], 1), (["data.path=x"], 3),
    (["data.frames={number: 4, split_by: time}"], 2), (["data.event_normalization=maximum"], 2),
    (["data.path=x", "data.format=nmnist"], 2), (["model.input_channels=4"], 4),
  ])
  func channelsAreThoseOfTheData(_ overrides: [String], _ channels: Int) throws {
    let completed = try Configuration(file: nil, overrides: overrides).completedForSyntheticData()
    #expect(completed.inputChannels == channels && completed.model.classes == 10)
  }
}
