/// Named augmentations. Each is a composition of the same few steps, see `ImageTransform`.
public enum AugmentationPreset: String, Sendable, CaseIterable {
  /// The centre of the image, in training too.
  case none
  /// For small photographs: a crop of the image with 4 pixels of padding, a flip half of the time.
  case cifar
  /// For large photographs: a random region and shape, resized; a flip half of the time. In
  /// evaluation the centre of the image resized to 8/7 of the wanted size (256 for 224).
  case imagenet
  /// For digits and letters: a crop of the image with 2 pixels of padding, never flipped.
  case shift

  func framing(isTraining: Bool, imageSize: Int) -> Framing {
    switch self {
    case .none, .cifar, .shift: .center(shorterSide: imageSize)
    case .imagenet where isTraining: .randomResized(area: 0.08...1, aspect: 3.0 / 4...4.0 / 3)
    case .imagenet: .center(shorterSide: (imageSize * 8 + 3) / 7)
    }
  }

  /// Zero pixels on each side before a random crop, in training.
  var padding: Int {
    switch self {
    case .none, .imagenet: 0
    case .cifar: 4
    case .shift: 2
    }
  }

  /// Whether half of the training images are mirrored.
  var flips: Bool {
    switch self {
    case .none, .shift: false
    case .cifar, .imagenet: true
    }
  }
}
