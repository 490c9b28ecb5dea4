import Datasets
import SpikingNetworks

/// Keys that are left out and for which the data decide. What was set, by a file or `--set`, stays.
extension Configuration {
  private static let network = [
    "model.architecture", "model.family", "model.blocks", "model.layers",
  ]

  /// Whether it is left out what images to validate on.
  package var isOpenToHoldOut: Bool {
    data.sharding == .global && !["data.hold_out", "data.validation"].contains(where: isSet)
  }

  /// Validates on a tenth of the training images.
  ///
  /// - Returns: the keys that were set.
  package mutating func chooseHoldOut() -> [String] {
    var chosen: [String] = []
    set("data.hold_out", \.data.heldOutShare, 0.1, &chosen)
    return chosen
  }

  /// Whether a key is left out that images, or recordings of events, decide.
  package func isOpen(toRecordings: Bool) -> Bool {
    let keys =
      ["data.image_size"]
      + (toRecordings ? ["method.timesteps"] : ["data.augmentation", "data.normalization"])
    return !isNetworkSet || !keys.allSatisfy(isSet)
  }

  /// How stored frames are wanted, if that is said.
  package var setFrameRule: FrameRule? {
    isSet("data.frames") || isSet("method.timesteps") ? frameRule : nil
  }

  private func isSet(_ key: String) -> Bool { origins[key] != nil }

  private var isNetworkSet: Bool { Self.network.contains(where: isSet) }

  /// Sets what is left out to what suits the images.
  ///
  /// - Returns: the keys that were set.
  package mutating func choose(for images: ImageTraits) -> [String] {
    var chosen: [String] = []
    let isColored =
      if isSet("model.input_channels") {
        model.inputChannels != 1
      } else if isSet("data.normalization") {
        data.normalization.channels != 1
      } else {
        !images.isGray
      }
    set("data.image_size", \.data.imageSize, Self.imageSize(side: images.side), &chosen)
    let isSmall = data.imageSize <= Self.smallSide
    if isColored || data.imageSize > Self.digitSide {
      setNetwork(isSmall ? .resNet18 : .nfResNet34, width: 64, &chosen)
    }
    // With a normalization for any number of channels, that has its default.
    if !isColored || !isSet("data.normalization") {
      set("model.input_channels", \.model.inputChannels, isColored ? 3 : 1, &chosen)
    }
    set(
      "data.augmentation", \.data.augmentation,
      .preset(isSmall ? (isColored ? .cifar : .shift) : .imagenet), &chosen)
    let small: NormalizationPreset = images.classes == 100 ? .cifar100 : .cifar10
    set(
      "data.normalization", \.data.normalization,
      isColored ? (isSmall ? small : .imagenet) : .mnist, &chosen)
    return chosen
  }

  /// Sets what is left out to what suits the recordings: as in the recipes for such data.
  ///
  /// - Returns: the keys that were set.
  package mutating func choose(for recordings: RecordingTraits) -> [String] {
    var chosen: [String] = []
    let side = min(max(recordings.width, recordings.height), 128)
    set(
      "data.image_size", \.data.imageSize, recordings.format == .cifar10DVS ? 48 : side, &chosen)
    setNetwork(.vgg11, width: recordings.format == .nmnist ? 16 : 64, &chosen)
    if !isSet("method.timesteps") {
      if let rule = recordings.rule { set("data.frames", \.data.frames, rule, &chosen) }
      let usual = recordings.frames ?? (recordings.format == .dvsGesture ? 20 : 10)
      let timesteps = if case .number(let number, _) = data.frames { number } else { usual }
      set("method.timesteps", \.method.timesteps, timesteps, &chosen)
    }
    return chosen
  }

  /// Takes what is left out, where the data would decide, from the configuration of an earlier run.
  package mutating func choose(asIn earlier: Configuration) {
    var chosen: [String] = []
    if !isNetworkSet {
      (model.architecture, model.family) = (earlier.model.architecture, earlier.model.family)
      (model.blocks, model.layers) = (earlier.model.blocks, earlier.model.layers)
      set("model.width", \.model.width, earlier.model.width, &chosen)
    }
    set("model.input_channels", \.model.inputChannels, earlier.model.inputChannels, &chosen)
    set("method.timesteps", \.method.timesteps, earlier.method.timesteps, &chosen)
    set("data.frames", \.data.frames, earlier.data.frames, &chosen)
    set("data.image_size", \.data.imageSize, earlier.data.imageSize, &chosen)
    set("data.augmentation", \.data.augmentation, earlier.data.augmentation, &chosen)
    set("data.normalization", \.data.normalization, earlier.data.normalization, &chosen)
    if isOpenToHoldOut {
      set("data.hold_out", \.data.heldOutShare, earlier.data.heldOutShare, &chosen)
    }
  }

  private mutating func setNetwork(
    _ architecture: Architecture, width: Int, _ chosen: inout [String]
  ) {
    guard !isNetworkSet else { return }
    dropAlternatives(to: ["model.architecture"])
    set("model.architecture", \.model.architecture, architecture, &chosen)
    set("model.width", \.model.width, width, &chosen)
  }

  private mutating func set<Value>(
    _ key: String, _ path: WritableKeyPath<Configuration, Value>, _ value: Value,
    _ chosen: inout [String]
  ) {
    guard !isSet(key) else { return }
    self[keyPath: path] = value
    origins[key] = .data
    chosen.append(key)
  }

  /// Where photographs count as small: up to this many pixels a side.
  private static let smallSide = AugmentationPreset.smallSide
  /// Gray images up to this size are for the network of the built-in digits.
  private static let digitSide = 32

  /// Small images keep their size, unless the networks need a larger one. Of others it is a multiple of 32
  /// to which they are reduced, as wide as published networks see ImageNet at most.
  private static func imageSize(side: Int) -> Int {
    side <= smallSide ? max(side, 28) : min(side / 32 * 32, 224)
  }
}
