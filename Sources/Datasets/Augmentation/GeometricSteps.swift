import Foundation
import Tensors

/// Resizes to a length of the shorter side, bilinear and antialiased; the longer side is truncated to
/// whole pixels.
public struct Resize: AugmentationStep, ScalingStep {
  public static let name = "resize"
  public static let isRandom = false
  /// Of the shorter side.
  public var size: Int?

  public init() {}
  public init(size: Int?) { self.size = size }

  public func side(after side: Int?, imageSize: Int) -> Int? {
    side.map { _ in size ?? imageSize }
  }

  func neededSide(_ imageSize: Int) -> Int { size ?? imageSize }

  func apply(to canvas: inout ImageCanvas, random: inout RandomStream) {
    let size = size ?? canvas.imageSize
    var region = PixelRectangle(width: canvas.width, height: canvas.height)
    // Of an image so long that the result would exceed all limits, the middle is enough.
    let shorter = min(region.width, region.height)
    let longest = max(ImageDecoder.maximumPixels / size * shorter / size, shorter)
    region.x = max(region.width - longest, 0) / 2
    region.y = max(region.height - longest, 0) / 2
    region.width = min(region.width, longest)
    region.height = min(region.height, longest)
    canvas.resize(
      region, toWidth: size * region.width / shorter, height: size * region.height / shorter)
  }
}

/// Keeps the centre. An image that is smaller gets a margin of zeros.
public struct CenterCrop: AugmentationStep, ScalingStep {
  public static let name = "center_crop"
  public static let isRandom = false
  public var size: Int?

  public init() {}
  public init(size: Int?) { self.size = size }

  public func side(after side: Int?, imageSize: Int) -> Int? { size ?? imageSize }

  func neededSide(_ imageSize: Int) -> Int { .max }

  func apply(to canvas: inout ImageCanvas, random: inout RandomStream) {
    let size = size ?? canvas.imageSize
    canvas.crop(
      PixelRectangle(
        x: Self.offset(canvas.width - size), y: Self.offset(canvas.height - size), width: size,
        height: size))
  }

  /// Half of the excess, where ties round to even; or minus half of what is missing.
  static func offset(_ excess: Int) -> Int {
    excess < 0 ? -(-excess / 2) : Int((Double(excess) / 2).rounded(.toNearestOrEven))
  }
}

/// Keeps a random square of the image with a margin of zeros, which is wider where the image would be
/// smaller than the square.
public struct RandomCrop: AugmentationStep, ScalingStep {
  public static let name = "random_crop"
  public var size: Int?
  /// Width of the margin on each side.
  public var padding = 0

  public init() {}
  public init(padding: Int) { self.padding = padding }

  public func side(after side: Int?, imageSize: Int) -> Int? { size ?? imageSize }

  func neededSide(_ imageSize: Int) -> Int { .max }

  func apply(to canvas: inout ImageCanvas, random: inout RandomStream) {
    let size = size ?? canvas.imageSize
    func offset(_ length: Int) -> Int {
      let padding = max(padding, size - length)
      return random.uniform(below: length + 2 * padding - size + 1) - padding
    }
    let (x, y) = (offset(canvas.width), offset(canvas.height))
    canvas.crop(PixelRectangle(x: x, y: y, width: size, height: size))
  }
}

/// Resizes a random rectangle to a square.
public struct RandomResizedCrop: AugmentationStep, ScalingStep {
  public static let name = "random_resized_crop"
  public var size: Int?
  /// Range of the rectangle's area, as a share of the image's.
  public var scale = 0.08...1.0
  /// Range of its width / height, which is uniform in its logarithm.
  public var ratio = 3.0 / 4...4.0 / 3

  public init() {}

  public func side(after side: Int?, imageSize: Int) -> Int? { size ?? imageSize }

  /// So that a rectangle of mean area has the size of the result.
  func neededSide(_ imageSize: Int) -> Int {
    let area = (scale.lowerBound + scale.upperBound) / 2
    return Int(min(Double(size ?? imageSize) / area.squareRoot(), 1e6))
  }

  func apply(to canvas: inout ImageCanvas, random: inout RandomStream) {
    let size = size ?? canvas.imageSize
    canvas.resize(
      region(ofWidth: canvas.width, height: canvas.height, random: &random), toWidth: size,
      height: size)
  }

  /// Ten attempts at a random rectangle that fits; else the largest central one of allowed shape.
  func region(ofWidth width: Int, height: Int, random: inout RandomStream) -> PixelRectangle {
    func roundedToEven(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }
    for _ in 0..<10 {
      let area = Double(width * height) * random.uniform(in: scale)
      let shape = exp(random.uniform(in: log(ratio.lowerBound)...log(ratio.upperBound)))
      let w = roundedToEven((area * shape).squareRoot())
      let h = roundedToEven((area / shape).squareRoot())
      guard 0 < w, w <= width, 0 < h, h <= height else { continue }
      return PixelRectangle(
        x: random.uniform(below: width - w + 1), y: random.uniform(below: height - h + 1),
        width: w, height: h)
    }

    let shape = Double(width) / Double(height)
    var region = PixelRectangle(width: width, height: height)
    if shape < ratio.lowerBound {
      region.height = min(max(roundedToEven(Double(width) / ratio.lowerBound), 1), height)
    } else if shape > ratio.upperBound {
      region.width = min(max(roundedToEven(Double(height) * ratio.upperBound), 1), width)
    }
    region.x = (width - region.width) / 2
    region.y = (height - region.height) / 2
    return region
  }
}

/// Mirrors left and right at random.
public struct RandomHorizontalFlip: AugmentationStep, PixelStep {
  public static let name = "random_horizontal_flip"
  /// Probability.
  public var p = 0.5

  public init() {}

  func apply(to canvas: inout ImageCanvas, random: inout RandomStream) {
    if random.happens(p) { canvas.edit { $0.flip() } }
  }
}
