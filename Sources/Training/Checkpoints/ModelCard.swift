import Configuration
import Datasets
import Foundation
import SpikingNetworks
import Support

/// What people need to know of a model to use it, wherever its file has come to. Class names are in the
/// metadata beside it.
struct ModelCard: Codable, Equatable {
  /// In a few words.
  let network: String
  let parameters: Int
  /// Time steps that an input is shown for. The mean of their logits is the output.
  let timesteps: Int
  let neuron: Neuron
  let input: Input
  /// nil where it is not known, as of an imported network.
  let training: Training?
  /// How the weights are stored, where they were rounded after training.
  var rounding: String?
  /// nil where it is not known.
  let result: Result?

  /// Where a network's parts have none of their own.
  struct Neuron: Codable, Equatable {
    let kind: String
    /// Membrane time constant in time steps; nil: there is no leak.
    let tau: Double?
    let threshold: Double
    let reset: String
    /// The most spikes at a time step.
    let levels: Int
  }

  /// What becomes of a sample before it is the network's input.
  struct Input: Codable, Equatable {
    enum Kind: String, Codable {
      case image
      /// One frame of counts a time step; channels are polarities.
      case events
    }

    let kind: Kind
    let channels: Int
    /// Height and width in pixels.
    let size: Int
    /// In the words of configuration files, in this order: of images the steps of `data.evaluation`, of
    /// events `data.frames`.
    let preparation: [String]
    /// In the words of configuration files: of images `data.normalization`, of events
    /// `data.event_normalization`.
    let normalization: String
    /// Of images, by channel, in units of the full range; nil where nothing is subtracted.
    let mean: [Float]?
    /// What the difference is divided by, likewise.
    let deviation: [Float]?
  }

  /// How it was trained.
  struct Training: Codable, Equatable {
    let data: String
    let method: String
    let optimizer: String
    let learningRate: Double
    let schedule: String
    let epochs: Int
    let globalBatch: Int
    let augmentation: [String]
    let precision: String
    let seed: UInt64
  }

  /// What the training came to.
  struct Result: Codable, Equatable {
    /// Share of the validation samples, 0 to 1; nil where these weights were not validated.
    let validationAccuracy: Double?
    /// How many these are; nil where that is not known.
    let validationSamples: Int?
    let epochs: Int
    let iterations: Int
    let samples: Int
    let ranks: Int
  }
}

extension ModelCard {
  /// - Parameters:
  ///   - configuration: with the channels of the input.
  ///   - state: of the checkpoint with the model, if it is of one.
  /// - Throws: `ConfigurationError`, `NetworkError` where there is no such network.
  init(_ configuration: Configuration, classes: Int, state: RunState?) throws {
    let plan = try NetworkPlan(configuration.networkSpecification(classes: classes))
    network = plan.specification.summary
    parameters = plan.weightCount
    timesteps = configuration.method.timesteps
    neuron = Neuron(configuration.neuron)
    input = Input(configuration)
    training = state.map { _ in Training(configuration) }
    result = state.map(Result.init)
  }

  /// From the metadata of a file; nil for other texts.
  init?(json: String) {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let card = try? decoder.decode(ModelCard.self, from: Foundation.Data(json.utf8)) else {
      return nil
    }
    self = card
  }

  var json: String {
    let encoder = JSONEncoder.oneLine
    encoder.keyEncodingStrategy = .convertToSnakeCase
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("numbers and texts can always be encoded")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// For people.
  ///
  /// - Parameter classes: their names.
  func text(classes: [String]) -> String {
    var rows = [
      ("model", network),
      ("parameters", Format.count(parameters)),
      ("time steps", "\(timesteps)"),
      ("input", input.text),
      ("classes", Self.list(classes)),
    ]
    if let rounding { rows.append(("weights", "rounded to \(rounding) after all that follows")) }
    if let training { rows += training.rows }
    if let training, let result { rows += result.rows(epochs: training.epochs) }
    return rows.map { $0.padded(to: 21) + $1 }.joined(separator: "\n")
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(10).joined(separator: ", ")
    return "\(Format.count(names.count)): \(shown)" + (names.count > 10 ? ", …" : "")
  }
}

extension ModelCard.Neuron {
  fileprivate init(_ neuron: Configuration.Neuron) {
    kind = neuron.kind.rawValue
    tau = neuron.kind == .if || neuron.tau == .infinity ? nil : neuron.tau
    threshold = neuron.threshold
    reset = neuron.reset.rawValue
    levels = neuron.levels
  }
}

extension ModelCard.Input {
  fileprivate init(_ configuration: Configuration) {
    let data = configuration.data
    channels = configuration.inputChannels
    size = data.imageSize
    kind = channels == 2 ? .events : .image
    guard kind == .image else {
      preparation = ["\(configuration.frameRule)"]
      normalization = data.eventNormalization.rawValue
      (mean, deviation) = (nil, nil)
      return
    }
    var resolved = configuration
    resolved.data.evaluation = .steps(data.steps(isTraining: false))
    preparation = resolved.words(of: "data.evaluation")
    normalization = data.normalization.rawValue
    (mean, deviation) = (
      data.normalization.statistics?.mean, data.normalization.statistics?.deviation
    )
  }

  fileprivate var text: String {
    let numbers = mean.flatMap { mean in deviation.map { " (mean \(mean), deviation \($0))" } }
    return "\(size)x\(size)x\(channels) \(kind.rawValue), \(preparation.joined(separator: ", ")),"
      + " normalization \(normalization)" + (numbers ?? "")
  }
}

extension ModelCard.Training {
  fileprivate init(_ configuration: Configuration) {
    let name = configuration.data.path.map { URL(fileURLWithPath: $0).lastPathComponent }
    data = name ?? "embedded MNIST"
    method = configuration.method.summary
    optimizer = configuration.optimizer.name.rawValue
    learningRate = configuration.optimizer.learningRate
    schedule = configuration.schedule.name.rawValue
    epochs = configuration.training.epochs
    globalBatch = configuration.training.globalBatch
    augmentation = configuration.words(
      of: configuration.inputChannels == 2 ? "data.event_augmentation" : "data.augmentation")
    precision = configuration.training.precision.rawValue
    seed = configuration.training.seed
  }
}

extension ModelCard.Training {
  fileprivate var rows: [(String, String)] {
    [
      ("trained on", data),
      (
        "trained by",
        "\(method), \(optimizer), learning rate \(learningRate) (\(schedule)), batch"
          + " \(globalBatch), augmentation \(augmentation.joined(separator: ", ")),"
          + " \(precision), seed \(seed)"
      ),
    ]
  }
}

extension ModelCard.Result {
  /// - Parameter epochs: that were configured.
  fileprivate func rows(epochs configured: Int) -> [(String, String)] {
    [
      (
        "trained for",
        "\(Format.count(epochs)) of \(Format.counted(configured, "epoch")),"
          + " \(Format.counted(iterations, "iteration")),"
          + " \(Format.counted(samples, "sample")), on \(Format.counted(ranks, "rank"))"
      ),
      (
        "validation accuracy",
        validationAccuracy.map {
          Format.percent($0, digits: 2)
            + (validationSamples.map { " of \(Format.counted($0, "sample"))" } ?? "")
        } ?? "not measured"
      ),
    ]
  }
}

extension Configuration {
  /// The value of a key: itself, or the entries of a list.
  fileprivate func words(of key: String) -> [String] {
    (value(of: key) ?? "").split(separator: "\n").map { String($0.trimmingPrefix("- ")) }
  }
}

extension ModelCard.Result {
  fileprivate init(_ state: RunState) {
    let position = state.position
    validationAccuracy = position.isValidated ? position.validationAccuracy : nil
    validationSamples = position.isValidated ? position.validationSamples : nil
    (epochs, iterations) = (position.epoch, position.iteration)
    (samples, ranks) = (position.samples, state.worldSize)
  }
}
