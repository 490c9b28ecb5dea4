import Tensors

/// Changes brightness, contrast, saturation and hue, in random order.
public struct ColorJitter: AugmentationStep, PixelStep {
  public static let name = "color_jitter"
  /// The factor is between 1 - brightness (at least 0) and 1 + brightness, as for the next two.
  public var brightness = 0.0
  public var contrast = 0.0
  public var saturation = 0.0
  /// The hue is turned by up to this share of the colour circle either way, at most 0.5.
  public var hue = 0.0

  public init() {}

  func apply(to canvas: inout ImageCanvas, random: inout RandomStream) {
    var order = [0, 1, 2, 3]
    for last in [3, 2, 1] { order.swapAt(last, random.uniform(below: last + 1)) }
    let factors = [brightness, contrast, saturation].map {
      random.uniform(in: max(1 - $0, 0)...1 + $0)
    }
    let turn = random.uniform(in: -hue...hue)
    canvas.edit { image in
      for adjustment in order {
        switch adjustment {
        case 0: image.adjustBrightness(factors[0])
        case 1: image.adjustContrast(factors[1])
        case 2: image.adjustSaturation(factors[2])
        default: if hue > 0 { image.adjustHue(turn) }
        }
      }
    }
  }
}

/// Applies random operations of one magnitude (Cubuk et al., arXiv 1909.13719).
public struct RandAugment: AugmentationStep, PixelStep {
  public static let name = "rand_augment"
  public var operations = 2
  /// Which of `bins` magnitudes, from 0.
  public var magnitude = 9
  public var bins = 31
  /// The samples of what comes from outside the image.
  public var fill = 0

  public init() {}

  public var problem: String? {
    magnitude < bins
      ? nil
      : "magnitude = \(magnitude) is not below num_magnitude_bins = \(bins): lower it"
  }

  func apply(to canvas: inout ImageCanvas, random: inout RandomStream) {
    for _ in 0..<operations {
      ImageOperation.draw(&random).apply(
        bin: magnitude, of: bins, fill: fill, to: &canvas, random: &random)
    }
  }
}

/// Applies one random operation of random magnitude (Müller and Hutter, arXiv 2103.10158).
public struct TrivialAugment: AugmentationStep, PixelStep {
  public static let name = "trivial_augment"
  public var bins = 31
  /// The samples of what comes from outside the image.
  public var fill = 0

  public init() {}

  func apply(to canvas: inout ImageCanvas, random: inout RandomStream) {
    let operation = ImageOperation.draw(&random)
    let magnitude = random.uniform(below: bins)
    operation.apply(
      OperationScale.trivialAugment(operation).value(at: magnitude, of: bins, random: &random),
      fill: UInt8(fill), to: &canvas)
  }
}

extension ImageOperation {
  /// Those of RandAugment and TrivialAugment.
  private static let drawn = allCases.filter { $0 != .invert }

  fileprivate static func draw(_ random: inout RandomStream) -> ImageOperation {
    drawn[random.uniform(below: drawn.count)]
  }

  /// Applies it with a magnitude of RandAugment's, which are AutoAugment's too.
  func apply(
    bin: Int, of bins: Int, fill: Int, to canvas: inout ImageCanvas, random: inout RandomStream
  ) {
    let scale = OperationScale.randAugment(self, width: canvas.width, height: canvas.height)
    apply(scale.value(at: bin, of: bins, random: &random), fill: UInt8(fill), to: &canvas)
  }
}

/// The magnitudes of an operation, from the weakest to the strongest.
struct OperationScale {
  enum Kind {
    /// The operation has no magnitude.
    case none
    /// Evenly spaced from 0, of either sign at random.
    case signed(to: Float)
    /// Evenly spaced.
    case falling(from: Float)
    /// From 8 bits down by this number.
    case bits(lost: Float)
  }

  let kind: Kind

  static func randAugment(_ operation: ImageOperation, width: Int, height: Int) -> OperationScale {
    let kind: Kind =
      switch operation {
      case .identity, .autoContrast, .equalize, .invert: .none
      case .shearX, .shearY: .signed(to: 0.3)
      case .translateX: .signed(to: Float(150.0 / 331 * Double(width)))
      case .translateY: .signed(to: Float(150.0 / 331 * Double(height)))
      case .rotate: .signed(to: 30)
      case .brightness, .color, .contrast, .sharpness: .signed(to: 0.9)
      case .posterize: .bits(lost: 4)
      case .solarize: .falling(from: 255)
      }
    return OperationScale(kind: kind)
  }

  static func trivialAugment(_ operation: ImageOperation) -> OperationScale {
    let kind: Kind =
      switch operation {
      case .identity, .autoContrast, .equalize, .invert: .none
      case .shearX, .shearY: .signed(to: 0.99)
      case .translateX, .translateY: .signed(to: 32)
      case .rotate: .signed(to: 135)
      case .brightness, .color, .contrast, .sharpness: .signed(to: 0.99)
      case .posterize: .bits(lost: 6)
      case .solarize: .falling(from: 255)
      }
    return OperationScale(kind: kind)
  }

  /// The magnitude of a bin, with a random sign where it has one.
  func value(at bin: Int, of bins: Int, random: inout RandomStream) -> Double {
    let magnitude = Double(value(at: bin, of: bins))
    if case .signed = kind { return random.uniform(below: 2) == 1 ? -magnitude : magnitude }
    return magnitude
  }

  /// The magnitude of a bin without its sign, in the arithmetic of PyTorch's `linspace`.
  func value(at bin: Int, of bins: Int) -> Float {
    func evenly(from start: Float, to end: Float) -> Float {
      let step = (end - start) / Float(bins - 1)
      return bin < bins / 2
        ? start.addingProduct(step, Float(bin)) : end.addingProduct(-step, Float(bins - 1 - bin))
    }
    switch kind {
    case .none: return 0
    case .signed(let end): return evenly(from: 0, to: end)
    case .falling(let start): return evenly(from: start, to: 0)
    case .bits(let lost):
      return 8 - (Float(bin) / (Float(bins - 1) / lost)).rounded(.toNearestOrEven)
    }
  }
}
