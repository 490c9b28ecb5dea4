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
  /// `cifar` or `imagenet`, whichever suits the size of the images, and then AutoAugment with the policy for
  /// such data.
  case autoAugment = "auto_augment"

  /// Where photographs count as small: up to this many pixels a side.
  public static let smallSide = 64

  /// What it stands for, in training.
  ///
  /// - Parameter imageSize: of the network's input.
  public func steps(imageSize: Int) -> [any AugmentationStep] {
    switch self {
    case .none: [Resize(), CenterCrop()]
    case .cifar: [Resize(), CenterCrop(), RandomCrop(padding: 4), RandomHorizontalFlip()]
    case .imagenet: [RandomResizedCrop(), RandomHorizontalFlip()]
    case .shift: [Resize(), CenterCrop(), RandomCrop(padding: 2)]
    case .autoAugment:
      imageSize <= Self.smallSide
        ? Self.cifar.steps(imageSize: imageSize) + [AutoAugment(.cifar10)]
        : Self.imagenet.steps(imageSize: imageSize) + [AutoAugment(.imagenet)]
    }
  }
}

/// How training images are varied at random: a preset's name, or a list of steps.
public enum Augmentation: Sendable {
  case preset(AugmentationPreset)
  case steps([any AugmentationStep])

  /// The steps of training.
  ///
  /// - Parameter imageSize: of the network's input.
  public func steps(imageSize: Int) -> [any AugmentationStep] {
    switch self {
    case .preset(let preset): preset.steps(imageSize: imageSize)
    case .steps(let steps): steps
    }
  }

  /// The usual steps of evaluation: the centre of the resized image. Networks that are trained on
  /// random regions see it enlarged, to 8/7 of the wanted size (256 for 224).
  public func evaluationSteps(imageSize: Int) -> [any AugmentationStep] {
    let isEnlarged = steps(imageSize: imageSize).contains { $0 is RandomResizedCrop }
    return [Resize(size: isEnlarged ? (imageSize * 8 + 3) / 7 : nil), CenterCrop()]
  }
}
