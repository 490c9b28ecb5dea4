import Configuration
import Foundation
import Support

/// What a run's directory tells of it: the configuration, and the records of `metrics.jsonl`.
public struct RunHistory: Sendable {
  /// A line of `metrics.jsonl`. What it does not say was not measured, or not yet by the version that
  /// wrote it. Shares are 0 to 1.
  public struct Record: Decodable, Sendable {
    /// How often the neurons of a layer fired.
    public struct LayerFiring: Decodable, Sendable {
      public var layer: String
      /// Spikes for each neuron, by the time step.
      public var rates: [Double]
      /// Share of the neurons that never fired.
      public var silent: Double?
    }

    /// What computed a convolution.
    public struct Convolution: Decodable, Sendable {
      /// Share of the input's elements that are spikes.
      public var inputDensity: Double?

      private enum CodingKeys: String, CodingKey { case inputDensity = "input_density" }
    }

    fileprivate var kind: MetricsRecord.Kind
    public var epoch: Int
    public var iteration: Int
    /// Training samples seen since the run began.
    public var samples: Int
    /// Of a whole epoch.
    public var iterationsPerEpoch: Int?
    public var trainLoss, trainAccuracy: Double?
    public var validationLoss, validationAccuracy: Double?
    public var learningRate, gradientNorm, firingRate: Double?
    public var imagesPerSecond, dataWait: Double?
    public var seconds: Double?
    public var peakBytes: Int?
    /// In training, and in its validation.
    public var firingRates, validationFiringRates: [LayerFiring]?
    /// Seconds of each kind of work of rank 0 in an epoch's training; of one that was resumed, since then.
    public var phaseSeconds: [String: Double]?
    /// What rank 0 was expected to need, by `MemoryEstimate.Part`.
    public var expectedBytes: [String: Int]?
    public var resources: RunResources?
    public var convolutions: [String: Convolution]?
    /// Spikes for each element of layers' inputs and time step, by layer.
    public var inputRates: [String: Double]?

    private enum CodingKeys: String, CodingKey {
      case kind, epoch, iteration, samples, seconds, convolutions, resources
      case iterationsPerEpoch = "iterations_per_epoch"
      case trainLoss = "train_loss"
      case trainAccuracy = "train_accuracy"
      case validationLoss = "validation_loss"
      case validationAccuracy = "validation_accuracy"
      case learningRate = "learning_rate"
      case gradientNorm = "gradient_norm"
      case firingRate = "firing_rate"
      case imagesPerSecond = "images_per_second"
      case dataWait = "data_wait"
      case peakBytes = "peak_rss_bytes"
      case firingRates = "firing_rates"
      case validationFiringRates = "validation_firing_rates"
      case phaseSeconds = "phase_seconds"
      case expectedBytes = "expected_bytes"
      case inputRates = "input_rates"
    }
  }

  /// The run's directory.
  public let path: String
  public let configuration: Configuration
  /// Of some iterations each, since the one before.
  public let intervals: [Record]
  public let epochs: [Record]

  /// - Throws: `ConfigurationError`, or `TrainingError` where the directory is not a run's.
  public init(run path: String) throws {
    let directory = OutputDirectory(path, isNew: false)
    guard FileManager.default.fileExists(atPath: directory.configuration) else {
      throw TrainingError(
        description: "\(path) is not the directory of a run: it has no config.yaml")
    }
    var configuration = Configuration()
    try configuration.apply(file: directory.configuration)
    self.path = path
    self.configuration = configuration
    let content =
      FileManager.default.contents(atPath: path + "/" + JSONLinesSink.fileName) ?? Data()
    let decoder = JSONDecoder()
    // A line may have been cut short, or be damaged.
    let records = content.split(separator: UInt8(ascii: "\n"))
      .compactMap { try? decoder.decode(Record.self, from: $0) }.filter(\.isPlausible)
    intervals = records.filter { $0.kind == .interval }
    epochs = records.filter { $0.kind == .epoch }
  }

  /// Whether the run has come to the end that its configuration says, with its validation.
  public var isComplete: Bool {
    guard let last = epochs.last, last.validationAccuracy != nil else { return false }
    let training = configuration.training
    if let limit = training.maxIterations, last.iteration >= limit { return true }
    // A run that was once limited may have ended in the middle of this epoch.
    return last.epoch == training.epochs
      && Double(last.iteration) >= Double(training.epochs) * iterationsPerEpoch
  }

  /// As the records of epochs tell it; of versions that do not, the first, which may not be whole.
  public var iterationsPerEpoch: Double {
    if let count = epochs.last?.iterationsPerEpoch { return Double(count) }
    return epochs.first.map { Double($0.iteration) / Double($0.epoch) } ?? 1
  }

  /// The latest record of each epoch: a run that was broken off may have one of a part before it.
  public var latestOfEachEpoch: [Record] {
    zip(epochs, epochs.dropFirst().map(Optional.some) + [nil])
      .filter { $0.epoch != $1?.epoch }.map(\.0)
  }

  /// Such as `3`, or `3.25` where a quarter of the fourth has been done.
  public var epochsDone: String {
    guard let last = epochs.last else { return "0" }
    let share = Double(last.iteration) / iterationsPerEpoch
    return share < Double(last.epoch) ? Format.fixed(share, 2) : "\(last.epoch)"
  }

  /// The greatest validation accuracy, 0 to 1.
  public var bestAccuracy: Double? { epochs.compactMap(\.validationAccuracy).max() }

  /// Images in a second of training, over all epochs, which have as many images each.
  public var imagesPerSecond: Double? {
    let rates = epochs.compactMap(\.imagesPerSecond).filter { $0 > 0 }
    return rates.isEmpty ? nil : Double(rates.count) / rates.reduce(0) { $0 + 1 / $1 }
  }
}

extension RunHistory.Record {
  /// Whether a run can have written it, so that nobody who reads it meets numbers with which there is no
  /// computing.
  fileprivate var isPlausible: Bool {
    let counts = [epoch, iteration, samples, peakBytes ?? 0] + (expectedBytes ?? [:]).values
    let layers = (firingRates ?? []) + (validationFiringRates ?? [])
    let shares =
      [trainAccuracy, validationAccuracy].compactMap { $0 } + layers.compactMap(\.silent)
    let others =
      [
        trainLoss, validationLoss, learningRate, gradientNorm, firingRate, imagesPerSecond,
        dataWait, seconds,
      ]
      .compactMap { $0 } + (phaseSeconds ?? [:]).values + (inputRates ?? [:]).values
      + layers.flatMap(\.rates)
    return layers.allSatisfy { !$0.rates.isEmpty }
      && counts.allSatisfy { (0..<1 << 50).contains($0) } && (iterationsPerEpoch ?? 1) > 0
      && shares.allSatisfy { (0...1).contains($0) } && others.allSatisfy { abs($0) < 1e100 }
  }
}
