import Foundation

/// The operations that AutoAugment, RandAugment and TrivialAugment choose from, with torchvision's meaning of
/// their magnitudes and Pillow's pixels.
enum ImageOperation: CaseIterable {
  case identity
  /// Pixels that a row is shifted for each row below the top.
  case shearX
  /// Pixels that a column is shifted for each column right of the left.
  case shearY
  /// Pixels to the right.
  case translateX
  /// Pixels down.
  case translateY
  /// Degrees, counter-clockwise.
  case rotate
  /// Like `color`, `contrast` and `sharpness` 0 for no change; from -1 for all black.
  case brightness
  /// From -1 for a gray image.
  case color
  /// From -1 for the mean gray.
  case contrast
  /// From -1 for a smoothed image.
  case sharpness
  /// Bits that are kept.
  case posterize
  /// The least sample that is inverted.
  case solarize
  case autoContrast
  case equalize
  /// Of all samples; for AutoAugment alone.
  case invert

  /// - Parameter fill: the samples of what comes from outside the image.
  func apply(_ magnitude: Double, fill: UInt8, to canvas: inout ImageCanvas) {
    switch self {
    case .identity: break
    case .shearX: map(&canvas, fill) { _, _ in .shear(x: magnitude) }
    case .shearY: map(&canvas, fill) { _, _ in .shear(y: magnitude) }
    case .translateX: map(&canvas, fill) { _, _ in .translation(x: magnitude.rounded(.towardZero)) }
    case .translateY: map(&canvas, fill) { _, _ in .translation(y: magnitude.rounded(.towardZero)) }
    case .rotate: map(&canvas, fill) { .rotation(degrees: magnitude, width: $0, height: $1) }
    case .brightness: canvas.edit { $0.adjustBrightness(1 + magnitude) }
    case .color: canvas.edit { $0.adjustSaturation(1 + magnitude) }
    case .contrast: canvas.edit { $0.adjustContrast(1 + magnitude) }
    case .sharpness: canvas.replace { $0.adjustSharpness(1 + magnitude, into: &$1) }
    case .posterize: canvas.edit { $0.posterize(bits: Int(magnitude)) }
    case .solarize: canvas.edit { $0.solarize(threshold: magnitude) }
    case .autoContrast: canvas.edit { $0.stretchContrast() }
    case .equalize: canvas.edit { $0.equalize() }
    case .invert: canvas.edit { $0.solarize(threshold: 0) }
    }
  }

  private func map(
    _ canvas: inout ImageCanvas, _ fill: UInt8,
    _ map: (_ width: Double, _ height: Double) -> AffineMap
  ) {
    let map = map(Double(canvas.width), Double(canvas.height))
    canvas.replace { map.apply(to: $0, fill: fill, into: &$1) }
  }
}
