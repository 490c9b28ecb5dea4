import Foundation
import Tensors

/// The finished image, `[side, side, channels]`, as the erasing steps see it.
struct NormalizedImage {
  let values: UnsafeMutableBufferPointer<Float>
  let side: Int
  let channels: Int
  let normalization: Normalization

  /// Sets all values of a rectangle.
  func fill(_ rectangle: PixelRectangle, _ value: (_ channel: Int) -> Float) {
    for y in rectangle.y..<rectangle.y + rectangle.height {
      for x in rectangle.x..<rectangle.x + rectangle.width {
        for channel in 0..<channels { values[(y * side + x) * channels + channel] = value(channel) }
      }
    }
  }
}

/// Covers a random rectangle (Zhong et al., arXiv 1708.04896).
public struct RandomErasing: AugmentationStep, ErasingStep {
  /// What the rectangle is covered with.
  public enum Value: Sendable, Equatable {
    /// A number, in units of the normalized image: 0 is the mean.
    case constant(Double)
    /// Normally distributed noise.
    case random
  }

  public static let name = "random_erasing"
  /// Probability.
  public var p = 0.5
  /// Range of the rectangle's area, as a share of the image's.
  public var scale = 0.02...0.33
  /// Range of its height / width, which is uniform in its logarithm.
  public var ratio = 0.3...3.3
  public var value = Value.constant(0)

  public init() {}

  public var problem: String? {
    // Of the allowed shape that is nearest to a square: longer side / shorter side.
    let elongation = max(ratio.lowerBound, 1 / ratio.upperBound, 1)
    return scale.lowerBound * elongation < 1
      ? nil
      : "scale and ratio leave no rectangle that is smaller than the image: lower scale"
  }

  func apply(to image: NormalizedImage, random: inout RandomStream) {
    guard random.happens(p),
      let rectangle = rectangle(side: image.side, random: &random)
    else { return }
    switch value {
    case .constant(let number):
      image.fill(rectangle) { _ in Float(number) }
    case .random:
      image.fill(rectangle) { _ in Float(random.normal()) }
    }
  }

  /// Ten attempts at a rectangle that is smaller than the image.
  private func rectangle(side: Int, random: inout RandomStream) -> PixelRectangle? {
    for _ in 0..<10 {
      let area = Double(side * side) * random.uniform(in: scale)
      let shape = exp(random.uniform(in: log(ratio.lowerBound)...log(ratio.upperBound)))
      let height = Int((area * shape).squareRoot().rounded(.toNearestOrEven))
      let width = Int((area / shape).squareRoot().rounded(.toNearestOrEven))
      guard height < side, width < side else { continue }
      return PixelRectangle(
        x: random.uniform(below: side - width + 1), y: random.uniform(below: side - height + 1),
        width: width, height: height)
    }
    return nil
  }
}

/// Covers a square around a random pixel with 0, the mean; the part of it that lies in the image
/// (DeVries and Taylor, arXiv 1708.04552).
public struct Cutout: AugmentationStep, ErasingStep {
  public static let name = "cutout"
  /// Probability.
  public var p = 1.0
  /// Side of the square.
  public var size = 16

  public init() {}

  func apply(to image: NormalizedImage, random: inout RandomStream) {
    guard random.happens(p) else { return }
    func covered() -> Range<Int> {
      let center = random.uniform(below: image.side)
      return max(center - size / 2, 0)..<min(center + size / 2, image.side)
    }
    let (rows, columns) = (covered(), covered())
    image.fill(
      PixelRectangle(
        x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
    ) { _ in 0 }
  }
}

/// Covers a random rectangle with a random gray: torchtoolbox's `Cutout`, by which the published CIFAR
/// networks were trained.
public struct GrayCutout: AugmentationStep, ErasingStep {
  public static let name = "gray_cutout"
  /// Probability.
  public var p = 0.5
  /// Range of the rectangle's area, as a share of the image's.
  public var scale = 0.02...0.4
  /// Range of its height / width, which is uniform.
  public var ratio = 0.4...2.5

  public init() {}

  func apply(to image: NormalizedImage, random: inout RandomStream) {
    guard random.happens(p) else { return }
    let area = Double(image.side * image.side) * random.uniform(in: scale)
    let shape = random.uniform(in: ratio)
    let width = min(Int((area / shape).squareRoot()), image.side)
    let height = min(Int((area * shape).squareRoot()), image.side)
    let rectangle = PixelRectangle(
      x: random.uniform(below: image.side - width + 1),
      y: random.uniform(below: image.side - height + 1), width: width, height: height)
    let sample = random.uniform(below: 256)
    image.normalization.withTable { table in
      image.fill(rectangle) { table[$0 * 256 + sample] }
    }
  }
}
