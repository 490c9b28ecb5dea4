/// Named augmentations, each short for a list of steps.
public enum AugmentationPreset: String, Sendable, CaseIterable {
  /// The centre of the image, in training too.
  case none
  /// For small photographs: a crop of the image with 4 pixels of padding, a flip half of the time.
  case cifar
  /// For large photographs: a random region and shape, resized; a flip half of the time.
  case imagenet
  /// For digits and letters: a crop of the image with 2 pixels of padding, never flipped.
  case shift

  /// What it stands for, in training.
  public var steps: [any AugmentationStep] {
    switch self {
    case .none: [Resize(), CenterCrop()]
    case .cifar: [Resize(), CenterCrop(), RandomCrop(padding: 4), RandomHorizontalFlip()]
    case .imagenet: [RandomResizedCrop(), RandomHorizontalFlip()]
    case .shift: [Resize(), CenterCrop(), RandomCrop(padding: 2)]
    }
  }
}

/// How training images are varied at random: a preset's name, or a list of steps.
public enum Augmentation: Sendable {
  case preset(AugmentationPreset)
  case steps([any AugmentationStep])

  /// The steps of training.
  public var steps: [any AugmentationStep] {
    switch self {
    case .preset(let preset): preset.steps
    case .steps(let steps): steps
    }
  }

  /// The usual steps of evaluation: the centre of the resized image. Networks that are trained on
  /// random regions see it enlarged, to 8/7 of the wanted size (256 for 224).
  public func evaluationSteps(imageSize: Int) -> [any AugmentationStep] {
    let isEnlarged = steps.contains { $0 is RandomResizedCrop }
    return [Resize(size: isEnlarged ? (imageSize * 8 + 3) / 7 : nil), CenterCrop()]
  }
}
