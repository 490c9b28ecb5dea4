/// How training images are varied at random.
public enum AugmentationPreset: String, CaseIterable, Sendable {
  case none, cifar, imagenet, shift
}

/// How pixel values are scaled and shifted.
public enum NormalizationPreset: String, CaseIterable, Sendable {
  case none, unit, cifar10, cifar100, imagenet, mnist
}
