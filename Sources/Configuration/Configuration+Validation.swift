import Datasets
import Support

extension Configuration {
  /// Checks that the values fit together.
  ///
  /// - Throws: `ConfigurationError` that names the key, where it was set, and what to change.
  public func validate() throws {
    try validateModel()
    try validateDependences()
    try validateMethod()
    try validateFrames()
    if optimizer.name == .sgd && optimizer.usesNesterov && optimizer.momentum == 0 {
      throw error(
        "optimizer.nesterov",
        "needs momentum, but optimizer.momentum is 0: raise it"
          + " or set nesterov to false")
    }
    if schedule.warmupEpochs >= training.epochs {
      throw error(
        "schedule.warmup_epochs",
        "= \(schedule.warmupEpochs) leaves nothing of training.epochs = \(training.epochs):"
          + " lower it or raise epochs")
    }
    if data.path == nil && data.format != .auto {
      throw error(
        "data.format",
        "= \(data.format.rawValue) needs data.path: set it, or leave format out"
          + " to train on the embedded MNIST")
    }
    if data.heldOutShare != nil && data.sharding == .nodeLocal {
      throw error(
        "data.hold_out",
        "does not go with data.sharding = node-local, where a node has the shards of its samples: make"
          + " the shards again with sltt-dist shard --hold-out, and remove it")
    }
    for (key, isTraining) in [("data.augmentation", true), ("data.evaluation", false)] {
      do throws(AugmentationError) {
        try checkAugmentation(
          data.steps(isTraining: isTraining), isTraining: isTraining, imageSize: data.imageSize)
      } catch {
        throw self.error(key, error.problem)
      }
    }
  }

  /// Checks that every rank has something to do.
  public func validate(ranks: Int) throws {
    if training.globalBatch < ranks {
      throw error(
        "training.global_batch",
        "= \(training.globalBatch) is less than one image for each of \(ranks) ranks:"
          + " raise it to \(ranks) or more, or start fewer ranks")
    }
  }

  /// Checks that there is a sample to train on for every rank.
  public func validate(ranks: Int, samples: Int) throws {
    if samples < ranks {
      throw error(
        "data.path",
        "has \(Format.counted(samples, "training sample")), fewer than the \(ranks) ranks: start at"
          + " most \(Format.counted(samples, "rank")), or add samples")
    }
    if data.dropsLast && samples < training.globalBatch {
      throw error(
        "data.drop_last",
        "= true leaves nothing of \(Format.counted(samples, "training sample")), fewer than"
          + " training.global_batch = \(training.globalBatch): lower that, or set drop_last to false"
      )
    }
  }

  private func validateFrames() throws {
    guard case .number(let number, _) = data.frames, number != method.timesteps else { return }
    throw error(
      "data.frames",
      "has number \(number), but method.timesteps is \(method.timesteps): a time step sees one"
        + " frame, so make them equal")
  }

  private func validateModel() throws {
    let others = [("model.family", model.family != nil), ("model.blocks", model.blocks != nil)]
    if model.layers != nil {
      let all =
        [("model.architecture", model.architecture != nil)] + others
        + [("model.width", model.width != nil)]
      for (key, isSet) in all where isSet {
        throw error(key, "and model.layers exclude each other: remove one of them")
      }
    } else if model.architecture != nil {
      for (key, isSet) in others where isSet {
        throw error(key, "and model.architecture exclude each other: remove one of them")
      }
    } else if model.family == nil {
      throw error(
        model.blocks == nil ? "model.architecture" : "model.blocks",
        model.blocks == nil
          ? "is empty: name one, or set model.family and model.blocks, or model.layers"
          : "needs model.family: set it, for instance to resnet")
    } else if model.blocks == nil {
      throw error(
        "model.family",
        "needs model.blocks: set them, for instance to [2, 2, 2, 2], or set"
          + " model.architecture instead")
    }
    if model.layers == nil && model.width == nil {
      throw error("model.width", "is empty: set it, for instance to 64")
    }
    if model.dropout > 0, try !network.parts.haveDefaultDropout {
      throw error(
        "model.dropout",
        "= \(model.dropout) has no effect, since the network has no dropout: remove it, or put a dropout"
          + " into model.layers")
    }
    if neuron.kind == .plif && (neuron.tau.isInfinite || neuron.tau <= 1) {
      throw error(
        "neuron.kind",
        "plif needs a finite neuron.tau above 1 to start from, not"
          + " \(neuron.tau): change tau, or set kind to lif")
    }
    if let stem = model.stem, !((model.architecture?.family ?? model.family)?.hasStems ?? false) {
      throw error(
        "model.stem",
        "= \(stem.rawValue) is for sew-resnets, which can have either: remove it")
    }
  }

  /// Checks that the learning rule is defined for the network and the loss.
  private func validateRule() throws {
    let name = method.name.rawValue
    let parts = try network.parts
    let neurons = parts.neurons(neuron.specification)
    func refuse(_ key: String, _ isSet: Bool, _ problem: String) throws {
      if isSet { throw error(key, problem) }
    }
    try refuse(
      "model.normalization",
      model.normalization == .online && [.bptt, .rate].contains(method.name),
      "online is not defined for method.name \(name), which goes back over several time steps: its"
        + " statistics are constants within one; set it to batch, or take sltt, sltt-k or ottt")
    if method.name == .ottt {
      try refuse(
        "method.name", parts.haveSumsOfSpikes,
        "ottt is not defined for sums of spikes, as sew-resnets have them, which come from several"
          + " neurons and so have no trace: take another network or method")
    }
    if method.name == .rate {
      try refuse(
        "method.name", neurons.contains { $0.kind == .clif },
        "rate is not defined for neurons of kind clif, whose reset depends on all their spikes: take"
          + " another kind or method")
      try refuse(
        "method.name", neurons.contains { $0.kind == .plif },
        "rate is not defined for neurons of kind plif: averages have no gradient of tau; take another"
          + " kind or method")
      try refuse(
        "method.name", neurons.contains { $0.thresholdRule == .stabilized },
        "rate is not defined for neuron.threshold_rule stabilized: set that to fixed")
      try refuse(
        "loss.kind", loss.kind == .meanOfLosses,
        "mean-of-losses makes no sense for method.name rate, which has the mean of all outputs only:"
          + " remove it")
    } else if loss.kind == .lossOfMean && !method.rule.isThroughTime {
      throw error(
        "loss.kind",
        "loss-of-mean needs the outputs of all time steps before the first goes back, which"
          + " method.name \(name) does not wait for: remove it, or take bptt or rate")
    }
    if let weights = loss.stepWeights {
      try refuse(
        "loss.step_weights", lossSpecification.kind == .lossOfMean,
        "are for a loss at each time step, but loss-of-mean has one of all: remove them")
      try refuse(
        "loss.step_weights", weights.count != method.timesteps,
        "has \(Format.counted(weights.count, "number")), but method.timesteps is"
          + " \(method.timesteps): give one for each time step")
    }
  }

  private func validateMethod() throws {
    if method.name == .slttK { try validateK() }
    try validateRule()
    guard method.name == .slttK else {
      if method.k != nil {
        throw error(
          "method.k",
          "is only for sltt-k, but method.name is \(method.name.rawValue):"
            + " remove k, or set name to sltt-k")
      }
      if method.skipsTrailing {
        throw error(
          "method.skip_trailing",
          "is only for sltt-k, but method.name is \(method.name.rawValue), which trains every step:"
            + " remove it, or set name to sltt-k")
      }
      return
    }
    if method.skipsTrailing, try network.parts.haveBatchNorm {
      throw error(
        "method.skip_trailing",
        "would change the running statistics of batch norm, which this network has: set it to"
          + " false, or take a normalizer-free network (nf-resnet)")
    }
  }

  /// Before there can be a learning rule.
  private func validateK() throws {
    guard let k = method.k else {
      throw error("method.name", "= sltt-k needs method.k, the time steps to train: set it")
    }
    if k > method.timesteps {
      throw error(
        "method.k",
        "= \(k) exceeds method.timesteps = \(method.timesteps): lower k"
          + " or raise timesteps")
    }
  }
}
