import Configuration
import Datasets
import Distributed
import TestSupport
import Testing

@testable import Training

struct TrainingDataTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    for split in ["train", "val"] {
      try DigitSubset(split, counts: [3, 2]).write(to: directory, split: split)
    }
  }

  private func open(_ overrides: String...) throws -> TrainingData {
    try TrainingData(try Configuration(file: nil, overrides: overrides))
  }

  @Test func theEmbeddedImagesAreTheDefault() throws {
    let data = try open()
    #expect(data.name == "embedded MNIST" && data.classes == (0...9).map(String.init))
    #expect(data.training.count == 4500 && data.validation.count == 500)
  }

  @Test func opensWhatTheConfigurationNames() throws {
    let data = try open(
      "data.path=\(directory.path)", "data.format=image-folder", "data.validation=train")
    #expect(data.name == directory.path && data.classes == ["0", "1"])
    #expect(data.training.count == 5 && data.validation.location == directory.file("train"))
  }

  @Test func refusesDataOfAnotherFormat() throws {
    #expect(
      message { _ = try open("data.path=\(directory.path)", "data.format=archive") }
        == "--set data.format=archive: data.format is archive, but \(directory.path) looks like"
        + " image-folder: leave it at auto")
    let archive = try EmbeddedData.mnistPath()
    #expect(
      message { _ = try open("data.path=\(archive)", "data.format=image-folder") }
        == "--set data.format=image-folder: data.format is image-folder, but \(archive) looks like"
        + " archive: leave it at auto")
    #expect(try open("data.path=\(archive)", "data.format=archive").training.count == 4500)
    #expect(
      message { _ = try open("data.path=\(directory.file("none"))", "data.format=archive") }
        .hasPrefix(
          directory.file("none") + ": there is no such file or directory."))
  }

  @Test(arguments: [2, 4]) func imagesHaveOneOrThreeChannels(channels: Int) throws {
    let override = "model.input_channels=\(channels)"
    #expect(
      message { _ = try open("data.path=\(directory.path)", override) }
        == "--set \(override): model.input_channels = \(channels), but images have 1 channel (gray) or"
        + " 3 (colour), and only recordings of events have 2: set it to 1 or 3, or leave it out")
  }

  @Test func nodeLocalOrderNeedsShards() throws {
    let options = ["data.path=\(directory.path)", "data.sharding=node-local"]
    #expect(
      message { _ = try open(options[0], options[1]) }
        == "--set data.sharding=node-local: data.sharding = node-local, but \(directory.path) is not"
        + " sharded: make shards with sltt-dist shard, or set it to global")
    let shards = try TemporaryDirectory()
    _ = try ShardWriter(
      source: directory.path, output: shards.path, division: .count(2), resize: nil, seed: 1,
      workers: 1
    ).run { _ in }
    let data = try open("data.path=\(shards.path)", options[1])
    #expect(data.training.count == 5 && data.validation.count == 5)
    let configuration = try Configuration(file: nil, overrides: ["data.sharding=node-local"])
    for (source, isTraining) in [(data.training, true), (data.validation, false)] {
      let loader = try configuration.loader(
        source, isTraining: isTraining, SingleProcess(), threads: 1)
      #expect(loader.sampler.locality != nil)
      loader.begin(epoch: 0)
      #expect(try loader.next()?.count == source.count)
    }
    let summary = try data.readingSummary(SingleProcess())
    #expect(summary.count == 1 && summary[0].hasSuffix("from 4 shards"))
  }

  @Test func theLastTrainingBatchIsLeftOutWhereAsked() throws {
    let configuration = try Configuration(
      file: nil, overrides: ["data.drop_last=true", "training.global_batch=2"])
    let data = try open("data.path=\(directory.path)")
    func batches(_ source: any SampleSource, isTraining: Bool) throws -> [Int] {
      let loader = try configuration.loader(
        source, isTraining: isTraining, SingleProcess(), threads: 1)
      loader.begin(epoch: 0)
      var counts: [Int] = []
      while let batch = try loader.next() { counts.append(batch.count) }
      return counts
    }
    #expect(try batches(data.training, isTraining: true) == [2, 2])
    #expect(try batches(data.validation, isTraining: false) == [2, 2, 1])
  }

  @Test func badSamplesAreReplacedWhereAsked() throws {
    try directory.write("not an image", to: "train/1/x.png")
    let data = try open("data.path=\(directory.path)")
    let skipping = try Configuration(
      file: nil, overrides: ["data.on_bad_sample=skip", "data.max_bad_samples=1"])
    let loader = try skipping.loader(
      data.training, isTraining: true, SingleProcess(), threads: 1)
    loader.begin(epoch: 0)
    let batch = try loader.next()
    #expect(batch?.count == 6 && batch?.replaced == 1)
    let failing = try Configuration().loader(
      data.training, isTraining: true, SingleProcess(), threads: 1)
    failing.begin(epoch: 0)
    #expect(throws: DatasetError.self) { try failing.next() }
  }

  @Test func refusesSplitsOfDifferentClasses() throws {
    try DigitSubset("val", counts: [1, 1, 1]).write(to: directory, split: "more")
    #expect(
      message { _ = try open("data.path=\(directory.path)", "data.validation=more") }.contains(
        "number 2 (from 0) is no class in the first and '2' in the second"))
  }

  @Test func shufflesTheTrainingImagesOnly() throws {
    let configuration = try Configuration(
      file: nil, overrides: ["training.global_batch=50", "data.image_size=8"])
    let images = try DigitSubset("val", counts: [20, 20, 20])
    func labels(isTraining: Bool, epoch: Int) throws -> [Int32] {
      let loader = try configuration.loader(
        images, isTraining: isTraining, SingleProcess(), threads: 1)
      loader.begin(epoch: epoch)
      var labels: [Int32] = []
      while let batch = try loader.next() { labels += batch.labels }
      return labels
    }
    #expect(try labels(isTraining: false, epoch: 3) == images.labels)
    let first = try labels(isTraining: true, epoch: 0)
    #expect(first != images.labels && first.sorted() == images.labels)
    #expect(try labels(isTraining: true, epoch: 0) == first)
    #expect(try labels(isTraining: true, epoch: 1) != first)
  }
}
