import Datasets

extension Configuration {
  /// The data set, and what becomes of its samples.
  public struct Data: Sendable {
    public enum Format: String, CaseIterable, Sendable {
      case auto
      case imageFolder = "image-folder"
      case archive
      case shards, cifar10, cifar100
      case nmnist
      case dvsGesture = "dvs-gesture"
      case cifar10DVS = "cifar10-dvs"
      case frames
    }

    public var format = Format.auto
    /// nil: the embedded MNIST images.
    public var path: String?
    public var train = "train"
    /// nil: as `ImageDataset.validationSplits`.
    public var validation: String?
    /// nil: none.
    public var heldOutShare: Double?
    /// nil: all.
    public var validationSamples: Int?
    public var dropsLast = false
    public var imageSize = 28
    public var augmentation = Augmentation.preset(.shift)
    /// nil: what belongs to the augmentation.
    public var evaluation: Augmentation?
    public var mixing = BatchMixing()
    public var normalization = NormalizationPreset.mnist
    public var convention = EventConvention.spikingJelly
    /// nil: as many frames as time steps, divided by the number of events.
    public var frames: FrameRule?
    public var eventAugmentation = EventAugmentation()
    public var eventNormalization = EventNormalization.none
    public var decoding = ImageDecoding.exact

    public enum Sharding: String, CaseIterable, Sendable {
      case global
      case nodeLocal = "node-local"
    }

    public enum BadSampleAction: String, CaseIterable, Sendable {
      case fail, skip
    }

    public var sharding = Sharding.global
    public var onBadSample = BadSampleAction.fail
    public var maxBadSamples = 100
    public var workers: Int?
  }
}

extension Configuration.Data {
  static let keys: [ConfigurationKey] = [
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
      "Directory of the validation images; left out: val, valid, validation, test, testing."),
    .init(
      "data.hold_out", \.data.heldOutShare, limit: .partialShare, isFixedInRun: true,
      "Share of the training images that is validated on instead; left out: none."),
    .init(
      "data.validation_samples", \.data.validationSamples, limit: .count,
      "Samples to validate on, evenly spread over their split; left out: all."),
    .init(
      "data.drop_last", \.data.dropsLast, isFixedInRun: true,
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
      "Threads of each rank that prepare images; left out: one for every four threads."),
  ]
}

extension Configuration.Data {
  /// What is done to an image in training or evaluation.
  public func steps(isTraining: Bool) -> [any AugmentationStep] {
    if isTraining { return augmentation.steps(imageSize: imageSize) }
    if case .steps(let steps)? = evaluation { return steps }
    return (evaluation ?? augmentation).evaluationSteps(imageSize: imageSize)
  }
}
