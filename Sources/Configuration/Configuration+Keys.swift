extension Configuration {
  /// Every key, in the order of configuration files. Reading, overriding, writing and the listing
  /// of keys all follow from this table.
  public static let keys: [ConfigurationKey] = [
    .init(
      "model.architecture", \.model.architecture,
      "A published network; or else give family and blocks."),
    .init(
      "model.family", \.model.family,
      "The kind of network, for a depth of your own."),
    .init(
      "model.blocks", \.model.blocks, limit: .stages,
      "Residual blocks (ResNets) or convolutions (VGG) of each stage."),
    .init(
      "model.width", \.model.width, limit: .channels,
      "Channels of the first stage; 64 as published."),
    .init(
      "model.classes", \.model.classes, limit: .classes,
      "Outputs of the network; left out: the classes of the data."),
    .init(
      "model.input_channels", \.model.inputChannels, limit: .channels,
      "Channels of the input; left out: 3, 2 for events, 1 for the embedded MNIST."),
    .init(
      "model.dropout", \.model.dropout, limit: .belowOne,
      "Probability that a spike is dropped in training."),

    .init(
      "neuron.tau", \.neuron.tau, limit: .timeConstant,
      "Membrane time constant in time steps; inf makes an IF neuron."),
    .init(
      "neuron.threshold", \.neuron.threshold, limit: .positive,
      "Membrane potential at which a neuron fires."),
    .init(
      "neuron.surrogate", \.neuron.surrogate,
      "What stands in for the derivative of a spike."),
    .init(
      "neuron.surrogate_width", \.neuron.surrogateWidth, limit: .positive,
      "Its width parameter; left out: 1, or 4 for sigmoid."),
    .init(
      "neuron.learnable_tau", \.neuron.hasLearnableTau,
      "Learn tau, one for each layer of neurons."),

    .init(
      "method.name", \.method.name,
      "How gradients are computed: SLTT, SLTT-K, or BPTT, the baseline."),
    .init(
      "method.timesteps", \.method.timesteps, limit: .timesteps,
      "Time steps T of the network for each image."),
    .init(
      "method.k", \.method.k, limit: .timesteps,
      "Time steps that sltt-k trains in an iteration, at most timesteps."),
    .init(
      "method.skip_trailing", \.method.skipsTrailing,
      "sltt-k: stop at the last trained step; training metrics cover the steps that ran."),

    .init(
      "loss.mse_weight", \.loss.mseWeight, limit: .share,
      "Weight of the squared error; cross-entropy has the rest."),
    .init(
      "loss.mse_target", \.loss.mseTarget,
      "What the squared error compares the outputs with."),
    .init(
      "loss.mse_mean", \.loss.mseMean, limit: .any,
      "Value of the constant target."),
    .init(
      "loss.label_smoothing", \.loss.labelSmoothing, limit: .belowOne,
      "Share of the cross-entropy's target that is spread evenly over all classes."),

    .init(
      "optimizer.name", \.optimizer.name,
      "SGD with momentum, or AdamW."),
    .init(
      "optimizer.learning_rate", \.optimizer.learningRate, limit: .positive,
      "Learning rate after the warm-up."),
    .init(
      "optimizer.momentum", \.optimizer.momentum, limit: .belowOne,
      "Momentum of SGD."),
    .init(
      "optimizer.nesterov", \.optimizer.usesNesterov,
      "Nesterov's momentum, for SGD."),
    .init(
      "optimizer.weight_decay", \.optimizer.weightDecay, limit: .notNegative,
      "Weight decay; for AdamW decoupled from the gradient."),
    .init(
      "optimizer.shard", \.optimizer.isSharded,
      "Divide momentum among the ranks, which saves memory (ZeRO stage 1)."),

    .init(
      "schedule.name", \.schedule.name,
      "How the learning rate falls from epoch to epoch."),
    .init(
      "schedule.warmup_epochs", \.schedule.warmupEpochs, limit: .countOrNone,
      "Epochs in which the learning rate first rises linearly."),
    .init(
      "schedule.step_size", \.schedule.stepSize, limit: .count,
      "Epochs between two drops of the step schedule."),
    .init(
      "schedule.gamma", \.schedule.gamma, limit: .within(1e-30...1),
      "Factor of each drop of the step schedule."),

    .init(
      "training.epochs", \.training.epochs, limit: .count,
      "Passes over the training data."),
    .init(
      "training.max_iterations", \.training.maxIterations, limit: .count,
      "Stop after so many iterations, whatever the epochs."),
    .init(
      "training.global_batch", \.training.globalBatch, limit: .samples,
      "Images in an iteration, over all ranks together."),
    .init(
      "training.micro_batch", \.training.microBatch, limit: .samples,
      "Samples of a rank at once, which saves memory; left out: all of its part."),
    .init(
      "training.seed", \.training.seed,
      "Determines initial weights, sample order and every other random choice."),
    .init(
      "training.precision", \.training.precision,
      "float32, or mixed: direct convolutions, and weights under spikes, in bfloat16."),
    .init(
      "training.memory", \.training.memory,
      "What to save: fast (time), or lean (memory; rounds what batch norm's gradient needs)."),
    .init(
      "training.log_every", \.training.logEvery, limit: .count,
      "Iterations between two records of the training metrics."),
    .init(
      "training.on_nonfinite", \.training.onNonFinite,
      "What a loss or gradient that is not finite does: stop, skip the update, go back."),
    .init(
      "training.check_replicas_every", \.training.checkReplicasEvery, limit: .count,
      "Iterations between two comparisons of the ranks' weights."),

    .init(
      "distributed.overlap", \.distributed.overlaps,
      "Add gradients up during the last backward pass; for slow networks and a spare core."),
    .init(
      "distributed.wire", \.distributed.wire,
      "Numbers in which gradients travel; bfloat16 halves the bytes and rounds the sums."),

    .init(
      "checkpoint.every_iterations", \.checkpoint.everyIterations, limit: .count,
      "Iterations between two checkpoints, besides those below."),
    .init(
      "checkpoint.every_minutes", \.checkpoint.everyMinutes, limit: .minutes,
      "Minutes after the last checkpoint when another is due."),
    .init(
      "checkpoint.every_epochs", \.checkpoint.everyEpochs, limit: .count,
      "Epochs between two checkpoints; the best and the last epoch always have one."),
    .init(
      "checkpoint.keep", \.checkpoint.keep, limit: .count,
      "Checkpoints that stay; of older ones only the best does."),
    .init(
      "checkpoint.on_error", \.checkpoint.onError,
      "Whether a run ends when a checkpoint or its metrics cannot be written."),

    .init(
      "data.format", \.data.format,
      "What data.path is; auto tells it by the files there."),
    .init(
      "data.path", \.data.path, limit: .notEmpty,
      "Directory or tar with the images; left out: the embedded MNIST."),
    .init(
      "data.train", \.data.train, limit: .notEmpty,
      "Directory of the training images in it, such as train or fold1/train."),
    .init(
      "data.validation", \.data.validation, limit: .notEmpty,
      "Directory of the validation images in it; left out: val, validation or test."),
    .init(
      "data.drop_last", \.data.dropsLast,
      "Leave out an epoch's last training batch where it is smaller than the others."),
    .init(
      "data.image_size", \.data.imageSize, limit: .side,
      "Height and width of the network's input in pixels."),
    .init(
      "data.augmentation", \.data.augmentation,
      "How training images are varied at random."),
    .init(
      "data.evaluation", \.data.evaluation,
      "How validation images are framed; left out: as fits the augmentation."),
    .init(
      "data.mixup", \.data.mixing.mixupAlpha, limit: .strength,
      "Alpha of mixup, by which samples of a batch are blended; 0: off."),
    .init(
      "data.cutmix", \.data.mixing.cutmixAlpha, limit: .strength,
      "Alpha of CutMix, by which samples get patches of others; 0: off."),
    .init(
      "data.normalization", \.data.normalization,
      "How pixel values are scaled and shifted."),
    .init(
      "data.convention", \.data.convention,
      "Whose pixels and split of CIFAR10-DVS: SpikingJelly's, or the SLTT code's."),
    .init(
      "data.frames", \.data.frames,
      "Frames of event recordings; left out: one a time step, split by number."),
    .init(
      "data.event_augmentation", \.data.eventAugmentation,
      "How training recordings are varied; shift and roll in pixels."),
    .init(
      "data.event_normalization", \.data.eventNormalization,
      "What event counts are divided by; maximum: the largest of the recording."),
    .init(
      "data.decoding", \.data.decoding,
      "Exact pixels, or fast: large JPEGs at a fraction of their size."),
    .init(
      "data.sharding", \.data.sharding,
      "global: one order for all ranks; node-local: ranks read shards of their nodes."),
    .init(
      "data.on_bad_sample", \.data.onBadSample,
      "What a sample that cannot be read does: end the run, or give way to a neighbour."),
    .init(
      "data.max_bad_samples", \.data.maxBadSamples, limit: .countOrNone,
      "Samples of a split that a rank may skip before the run ends."),
    .init(
      "data.workers", \.data.workers, limit: .threads,
      "Threads of each rank that prepare images; left out: by the cores at hand."),
  ]

  /// The sections, in the order of configuration files.
  static let sections: [String] = keys.reduce(into: []) { sections, key in
    if sections.last != String(key.section) {
      sections.append(String(key.section))
    }
  }
}
