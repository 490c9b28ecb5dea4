import Datasets
import Distributed
import Foundation

/// The two splits of a run's data set, opened and checked.
public struct TrainingData {
  /// Samples to learn from.
  public let training: any SampleSource
  /// Samples to measure the accuracy on.
  public let validation: any SampleSource
  /// For messages.
  public let name: String

  /// Opens what the configuration names.
  ///
  /// - Throws: `DatasetError`, `ConfigurationError`.
  public init(_ configuration: Configuration) throws {
    let path = try configuration.data.path ?? EmbeddedData.mnistPath()
    name = configuration.data.path ?? "embedded MNIST"
    if let format = configuration.eventFormat {
      training = try configuration.openEvents(format, path, .training)
      validation = try configuration.openEvents(format, path, .validation)
    } else {
      try configuration.requireNoEventKeys()
      try configuration.checkFormat(of: path)
      training = try ImageDataset.open(path: path, split: configuration.data.train)
      validation = try ImageDataset.open(path: path, split: configuration.data.validation)
    }
    try requireSameClasses(training: training, validation: validation)
  }

  /// Class names; a label is a position in this list.
  public var classes: [String] { training.classes }
}

extension Configuration {
  /// - Throws: `ConfigurationError` where the path is of another kind than `data.format` says.
  fileprivate func checkFormat(of path: String) throws {
    var isDirectory = ObjCBool(false)
    guard data.format != .auto,
      FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    else { return }
    guard isDirectory.boolValue != (data.format == .imageFolder) else { return }
    throw error(
      "data.format",
      "is \(data.format.rawValue), but \(path) is a \(isDirectory.boolValue ? "directory" : "file"):"
        + " leave it at auto")
  }

  /// This rank's way through a split.
  func loader(
    _ source: any SampleSource, isTraining: Bool, _ communicator: any Communicator, threads: Int
  ) throws -> DataLoader {
    let sampler = Sampler(
      sampleCount: source.count, globalBatch: training.globalBatch, rank: communicator.rank,
      rankCount: communicator.size,
      order: isTraining ? .shuffled(seed: training.seed) : .sequential)
    return DataLoader(
      try input(source, isTraining: isTraining), sampler: sampler,
      mixing: isTraining ? data.mixing : BatchMixing(), seed: training.seed,
      workers: data.workers ?? defaultWorkers(threads: threads))
  }

  private func input(
    _ source: any SampleSource, isTraining: Bool
  ) throws -> any SampleInput {
    switch source {
    case let images as any ImageSource:
      let transform = try ImageTransform(
        steps: data.steps(isTraining: isTraining), normalization: data.normalization,
        imageSize: data.imageSize, channels: inputChannels)
      return ImageInput(images, transform, decoding: data.decoding)
    case let recordings as EventFrames:
      return EventInput(recordings, eventTransform(isTraining: isTraining))
    default:
      preconditionFailure("TrainingData opens no other sources")
    }
  }

  /// Decoding takes little beside training: a worker for every four threads keeps ahead.
  private func defaultWorkers(threads: Int) -> Int { max(1, threads / 4) }
}
