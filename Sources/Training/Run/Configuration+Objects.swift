import Configuration
import Datasets
import Distributed
import Foundation
import SpikingNetworks
import Tensors

/// What a run is made of, as configured. The configuration must be valid.

extension Configuration {
  /// The network to build.
  ///
  /// - Parameter classes: of the data; nil where no data are at hand.
  /// - Throws: `ConfigurationError` if the number of classes is not known or too small, or where there is
  ///   no such network.
  public func networkSpecification(
    classes: Int?
  ) throws(ConfigurationError) -> NetworkSpecification {
    guard let outputs = model.classes ?? classes else {
      throw error("model.classes", "is not set, and there are no data to take it from: set it")
    }
    if let classes, outputs < classes {
      throw error(
        "model.classes",
        "= \(outputs), but the data have \(classes) classes: set it to that"
          + " or leave it out")
    }
    let (parts, title) = try network
    let specification = NetworkSpecification(
      parts: parts, title: title, classes: outputs, inputChannels: inputChannels,
      imageSize: data.imageSize, dropout: Float(model.dropout),
      normalization: model.normalization, neuron: neuron.specification,
      precision: training.precision, memory: training.memory)
    if let problem = specification.problem { throw error(problem, specification) }
    return specification
  }

  /// The learning rates.
  public var learningRateSchedule: LearningRateSchedule {
    LearningRateSchedule(
      schedule.name, baseRate: optimizer.learningRate, epochs: training.epochs,
      warmupEpochs: schedule.warmupEpochs, stepSize: schedule.stepSize, gamma: schedule.gamma)
  }

  /// The optimizer, for `count` parameters.
  public func makeOptimizer(count: Int) -> any ParameterOptimizer {
    let plain: any ParameterOptimizer =
      switch optimizer.name {
      case .sgd:
        SGD(
          count: count, momentum: optimizer.momentum, usesNesterov: optimizer.usesNesterov,
          weightDecay: optimizer.weightDecay)
      case .adamw: AdamW(count: count, weightDecay: optimizer.weightDecay)
      }
    return training.averageDecay.map { WeightAverage(of: plain, count: count, decay: $0) } ?? plain
  }

  /// Buffers of the optimizer's state, each as large as the weights.
  package var optimizerBuffers: Int { makeOptimizer(count: 0).state.count }
}

// What follows depends on what `data.path` holds.
extension Configuration {
  /// The format of `data.path` if that holds recordings of events: as configured, or as found there.
  var eventFormat: EventFormat? {
    guard data.format == .auto else { return EventFormat(rawValue: data.format.rawValue) }
    return data.path.flatMap { EventFormat.found(at: $0).first }
  }

  /// Channels of the input: as configured, else 2 for recordings of events and 3 for images; where no data
  /// are at hand, those that the other keys are meant for, and where none are named 1 as the embedded MNIST
  /// has.
  public var inputChannels: Int {
    if let channels = model.inputChannels { return channels }
    if eventFormat != nil { return 2 }
    guard let path = data.path else {
      return firstEventKey != nil ? 2 : data.normalization.channels ?? 1
    }
    return !FileManager.default.fileExists(atPath: path) && firstEventKey != nil ? 2 : 3
  }

  /// Frames that the loader makes of a sample: one for all time steps, or of events, which alone have 2
  /// channels, one for each. So it does not matter whether the data are at hand.
  package var framesOfASample: Int { inputChannels == 2 ? method.timesteps : 1 }

  /// Checks all that does not depend on samples: the values, and the network that they describe.
  public func validateWithNetwork() throws {
    try validate()
    // Any number of classes serves where the data decide it.
    _ = try NetworkPlan(networkSpecification(classes: model.classes ?? 2))
  }

  /// Opens a split of recordings.
  ///
  /// - Parameter progress: is called whenever the work that this may be gets on.
  /// - Throws: `ConfigurationError` where keys do not suit events, `DatasetError`.
  func openEvents(
    _ format: EventFormat, _ path: String, _ split: EventSplit,
    progress: @escaping @Sendable () -> Void
  ) throws -> EventFrames {
    guard inputChannels == 2 else {
      throw error(
        "model.input_channels",
        "= \(inputChannels), but recordings of events have 2 polarities: set it to 2 or leave it out"
      )
    }
    for (key, substitute) in [
      ("data.augmentation", "data.event_augmentation"),
      ("data.normalization", "data.event_normalization"),
    ] where !isDefault(key) && value(of: key) != "none" {
      throw error(key, "is for images, not for recordings: set \(substitute) instead")
    }
    let own =
      ["data.train", "data.validation", "data.evaluation", "data.decoding", "data.sharding"]
      + ([.cifar10DVS, .frames].contains(format) ? [] : ["data.convention"])
    if let key = own.first(where: { !isDefault($0) }) {
      throw error(
        key,
        "has no effect on recordings of \(format.rawValue), which are read and divided as published:"
          + " leave it out, or set it to \(Configuration().value(of: key) ?? "null")")
    }
    return try EventFrames(
      format, data.convention, path: path, split: split, rule: frameRule,
      timesteps: method.timesteps, progress: progress, report: { print($0) })
  }

  /// The first key that is set and means something for events only.
  private var firstEventKey: String? {
    [
      "data.convention", "data.frames", "data.event_augmentation", "data.event_normalization",
    ].first { !isDefault($0) }
  }

  /// - Throws: `ConfigurationError` where keys for events are set for data that are images.
  func requireNoEventKeys() throws {
    guard let firstEventKey else { return }
    throw error(
      firstEventKey,
      data.path.map {
        "is for recordings of events, but there are none in \($0): check data.path"
      }
        ?? "is for recordings of events: set data.path to some")
  }

  /// This rank's way through a split.
  package func loader(
    _ source: any SampleSource, isTraining: Bool, _ communicator: any Communicator, threads: Int
  ) throws -> DataLoader {
    if isTraining { try validate(ranks: communicator.size, samples: source.count) }
    let sampler = Sampler(
      sampleCount: source.count, part: isTraining ? nil : data.validationSamples,
      globalBatch: training.globalBatch, rank: communicator.rank, rankCount: communicator.size,
      order: isTraining ? .shuffled(seed: training.seed) : .sequential,
      dropsLast: isTraining && data.dropsLast, locality: try locality(of: source, communicator))
    return DataLoader(
      try input(source, isTraining: isTraining), sampler: sampler,
      mixing: isTraining ? data.mixing : BatchMixing(), seed: training.seed,
      workers: workers(threads: threads), onBadSample: badSamplePolicy(communicator),
      progress: communicator.activity.touch)
  }

  /// Which shards are whose, under `data.sharding: node-local`.
  private func locality(
    of source: any SampleSource, _ communicator: any Communicator
  ) throws -> ShardLocality? {
    guard data.sharding == .nodeLocal, let shards = source as? ShardSource else { return nil }
    return ShardLocality(shardSizes: shards.shardSizes, nodes: try communicator.nodes())
  }

  private func badSamplePolicy(_ communicator: any Communicator) -> BadSamplePolicy {
    switch data.onBadSample {
    case .fail: return .fail
    case .skip:
      let rank = communicator.rank
      return .skip(limit: data.maxBadSamples) { error in
        let line = "rank \(rank) skips a sample: \(error)\n"
        try? FileHandle.standardError.write(contentsOf: Foundation.Data(line.utf8))
      }
    }
  }

  /// What the network gets of a split.
  package func input(
    _ source: any SampleSource, isTraining: Bool
  ) throws -> any SampleInput {
    switch source {
    case let images as any ImageSource:
      let transform = try ImageTransform(
        steps: data.steps(isTraining: isTraining), normalization: data.normalization,
        imageSize: data.imageSize, channels: inputChannels)
      return ImageInput(images, transform, decoding: data.decoding)
    case let recordings as any FrameSource:
      return EventInput(
        recordings,
        EventTransform(
          augmentation: isTraining ? data.eventAugmentation : nil,
          normalization: data.eventNormalization, imageSize: data.imageSize))
    default:
      preconditionFailure("TrainingData opens no other sources")
    }
  }

  /// Decoding takes little beside training: a worker for every four threads keeps ahead.
  func workers(threads: Int) -> Int { data.workers ?? max(1, threads / 4) }
}
