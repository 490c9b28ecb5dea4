import Tensors

/// Applies a random one of 25 pairs of operations, each of these with a probability and a magnitude of its
/// own, that were searched for a data set (Cubuk et al., CVPR 2019).
public struct AutoAugment: AugmentationStep, PixelStep {
  /// The data set.
  public enum Policy: String, Sendable, CaseIterable {
    case cifar10, imagenet
  }

  public static let name = "auto_augment"
  private static let bins = 10

  public var policy = Policy.imagenet
  /// The samples of what comes from outside the image.
  public var fill = 0

  public init() {}
  public init(_ policy: Policy) { self.policy = policy }

  func apply(to canvas: inout ImageCanvas, random: inout RandomStream) {
    let pairs = policy.pairs
    for choice in pairs[random.uniform(below: pairs.count)] where random.happens(choice.p) {
      choice.operation.apply(
        bin: choice.bin, of: Self.bins, fill: fill, to: &canvas, random: &random)
    }
  }
}

extension AutoAugment.Policy {
  /// An operation, its probability, and which of the magnitudes it has; 0 where it has none.
  typealias Choice = (operation: ImageOperation, p: Double, bin: Int)

  /// As published, where some pairs are listed twice.
  var pairs: [[Choice]] {
    switch self {
    case .cifar10: Self.cifar10Pairs
    case .imagenet: Self.imagenetPairs
    }
  }

  private static let cifar10Pairs: [[Choice]] = [
    [(.invert, 0.1, 0), (.contrast, 0.2, 6)],
    [(.rotate, 0.7, 2), (.translateX, 0.3, 9)],
    [(.sharpness, 0.8, 1), (.sharpness, 0.9, 3)],
    [(.shearY, 0.5, 8), (.translateY, 0.7, 9)],
    [(.autoContrast, 0.5, 0), (.equalize, 0.9, 0)],
    [(.shearY, 0.2, 7), (.posterize, 0.3, 7)],
    [(.color, 0.4, 3), (.brightness, 0.6, 7)],
    [(.sharpness, 0.3, 9), (.brightness, 0.7, 9)],
    [(.equalize, 0.6, 0), (.equalize, 0.5, 0)],
    [(.contrast, 0.6, 7), (.sharpness, 0.6, 5)],
    [(.color, 0.7, 7), (.translateX, 0.5, 8)],
    [(.equalize, 0.3, 0), (.autoContrast, 0.4, 0)],
    [(.translateY, 0.4, 3), (.sharpness, 0.2, 6)],
    [(.brightness, 0.9, 6), (.color, 0.2, 8)],
    [(.solarize, 0.5, 2), (.invert, 0.0, 0)],
    [(.equalize, 0.2, 0), (.autoContrast, 0.6, 0)],
    [(.equalize, 0.2, 0), (.equalize, 0.6, 0)],
    [(.color, 0.9, 9), (.equalize, 0.6, 0)],
    [(.autoContrast, 0.8, 0), (.solarize, 0.2, 8)],
    [(.brightness, 0.1, 3), (.color, 0.7, 0)],
    [(.solarize, 0.4, 5), (.autoContrast, 0.9, 0)],
    [(.translateY, 0.9, 9), (.translateY, 0.7, 9)],
    [(.autoContrast, 0.9, 0), (.solarize, 0.8, 3)],
    [(.equalize, 0.8, 0), (.invert, 0.1, 0)],
    [(.translateY, 0.7, 9), (.autoContrast, 0.9, 0)],
  ]

  private static let imagenetPairs: [[Choice]] = [
    [(.posterize, 0.4, 8), (.rotate, 0.6, 9)],
    [(.solarize, 0.6, 5), (.autoContrast, 0.6, 0)],
    [(.equalize, 0.8, 0), (.equalize, 0.6, 0)],
    [(.posterize, 0.6, 7), (.posterize, 0.6, 6)],
    [(.equalize, 0.4, 0), (.solarize, 0.2, 4)],
    [(.equalize, 0.4, 0), (.rotate, 0.8, 8)],
    [(.solarize, 0.6, 3), (.equalize, 0.6, 0)],
    [(.posterize, 0.8, 5), (.equalize, 1.0, 0)],
    [(.rotate, 0.2, 3), (.solarize, 0.6, 8)],
    [(.equalize, 0.6, 0), (.posterize, 0.4, 6)],
    [(.rotate, 0.8, 8), (.color, 0.4, 0)],
    [(.rotate, 0.4, 9), (.equalize, 0.6, 0)],
    [(.equalize, 0.0, 0), (.equalize, 0.8, 0)],
    [(.invert, 0.6, 0), (.equalize, 1.0, 0)],
    [(.color, 0.6, 4), (.contrast, 1.0, 8)],
    [(.rotate, 0.8, 8), (.color, 1.0, 2)],
    [(.color, 0.8, 8), (.solarize, 0.8, 7)],
    [(.sharpness, 0.4, 7), (.invert, 0.6, 0)],
    [(.shearX, 0.6, 5), (.equalize, 1.0, 0)],
    [(.color, 0.4, 0), (.equalize, 0.6, 0)],
    [(.equalize, 0.4, 0), (.solarize, 0.2, 4)],
    [(.solarize, 0.6, 5), (.autoContrast, 0.6, 0)],
    [(.invert, 0.6, 0), (.equalize, 1.0, 0)],
    [(.color, 0.6, 4), (.contrast, 1.0, 8)],
    [(.equalize, 0.8, 0), (.equalize, 0.6, 0)],
  ]
}
