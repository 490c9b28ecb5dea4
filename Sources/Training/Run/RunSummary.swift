import Configuration
import SpikingNetworks
import Support
import Tensors

/// What a run is made of, for people.
struct RunSummary {
  let text: String

  init(_ setup: TrainingSetup) {
    let (configuration, data, network) = (setup.configuration, setup.data, setup.trainer.network)
    let memory = setup.expectedMemory
    var rows = [
      ("model", network.specification.summary),
      ("parameters", Format.count(network.store.weights.count)),
      ("method", configuration.method.summary),
      (
        "data",
        "\(data.name): \(Format.count(data.training.count)) training and "
          + "\(setup.validationSamples), "
          + Format.counted(data.classes.count, "class")
      ),
      (
        "ranks",
        "\(setup.resources.size), global batch \(configuration.training.globalBatch)"
      ),
      ("kernels", setup.resources.kernels),
      ("reduction", setup.trainer.replica.exchange.summary),
      ("precision", network.precisionProblem ?? network.specification.precision.rawValue),
      (
        "schedule",
        Format.counted(configuration.training.epochs, "epoch") + " of "
          + Format.counted(setup.iterationsPerEpoch, "iteration")
          + (setup.iterations < configuration.training.epochs * setup.iterationsPerEpoch
            ? ", \(Format.count(setup.iterations)) in all" : "")
          + ", \(configuration.optimizer.name.rawValue), learning rate "
          + "\(configuration.optimizer.learningRate) (\(configuration.schedule.name.rawValue))"
      ),
      (
        "memory",
        "about \(Format.bytes(memory.totalBytes)) a rank expected"
          + (setup.output == nil
            ? "" : ", \(Format.bytes(memory.checkpointBytes)) more on rank 0 for checkpoints")
      ),
      ("output", setup.output?.path ?? "none"),
    ]
    if let teacher = setup.teacher {
      rows.insert(("teacher", "\(teacher); \(configuration.distill.summary)"), at: 3)
    }
    if let lastBatch = setup.lastBatch { rows.append(("last batch", lastBatch)) }
    rows += data.notes.map { ($0.title, $0.text) }
    text = rows.map { $0.padded(to: 12) + $1 }.joined(separator: "\n") + "\n"
  }
}

extension TrainingSetup {
  /// How many samples validate, and of how many.
  fileprivate var validationSamples: String {
    let (part, all) = (validationLoader.sampler.sampleCount, data.validation.count)
    return (part < all ? "\(Format.count(part)) of " : "")
      + Format.counted(all, "validation sample")
  }

  /// What becomes of an epoch's last batch where it is smaller than the others: it moves the weights as
  /// far as they do, by fewer samples.
  fileprivate var lastBatch: String? {
    let sampler = trainingLoader.sampler
    guard sampler.remainder > 0 else { return nil }
    guard sampler.sampleCount > sampler.globalBatch else {
      return "an epoch has one, of all \(Format.counted(sampler.sampleCount, "sample")), fewer than"
        + " training.global_batch"
    }
    let samples = Format.counted(sampler.remainder, "sample")
    return sampler.dropsLast
      ? "left out: \(samples) of each epoch, others each time"
      : "\(samples) of \(sampler.globalBatch); data.drop_last: true leaves it out"
  }
}

extension NetworkSpecification {
  /// In a few words, for people.
  package var summary: String {
    let norm = normalization == .online ? "; online normalization" : ""
    return "\(title), input \(imageSize)x\(imageSize)x\(inputChannels), "
      + "\(Format.counted(classes, "class"))\(norm); \(neuron.summary)"
  }
}

extension NeuronSpecification {
  /// In a few words, for people: what is not as usual is said.
  fileprivate var summary: String {
    var words = [kind.rawValue.uppercased() + (kind == .if ? "" : " tau \(tau)")]
    if levels > 1 { words.append("\(levels) levels") }
    if firing == .round { words.append("rounding") }
    if reset == .hard { words.append("hard reset") }
    if detachesReset { words.append("reset detached") }
    if thresholdRule == .stabilized { words.append("stabilized threshold") }
    return (words + [surrogate.shape.rawValue]).joined(separator: ", ")
  }
}

extension ConvolutionBackend {
  /// In a few words, for people.
  var summary: String {
    let amx = TileEngine.best == .amx ? "AMX" : TileEngine.missingAMX
    return "\(library.rawValue), spikes \(kernels.rawValue)" + (amx.map { ", \($0)" } ?? "")
  }
}

extension Configuration.Distillation {
  /// In a few words, for people.
  fileprivate var summary: String { "weight \(weight), temperature \(temperature)" }
}

extension Configuration.Method {
  /// In a few words, for people.
  package var summary: String {
    "\(name.rawValue), T = \(timesteps)" + (k.map { ", K = \($0)" } ?? "")
  }
}
