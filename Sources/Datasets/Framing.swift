import Foundation
import Tensors

/// How a square view of `imageSize` pixels is taken from an image of any size.
enum Framing: Equatable {
  /// Resize so that the shorter side has this length (the longer is truncated to whole pixels), and
  /// take the centre.
  case center(shorterSide: Int)
  /// Take a random rectangle that covers a share of the area, with an aspect ratio (width / height)
  /// uniform in its logarithm, and resize it: torchvision's `RandomResizedCrop`.
  case randomResized(area: ClosedRange<Double>, aspect: ClosedRange<Double>)
}

/// A framing made concrete for one image: `region` of the image is resized to `width` x `height`,
/// and `window` of that is the view.
struct View: Equatable {
  var region: PixelRectangle
  var width: Int
  var height: Int
  var window: PixelRectangle
}

extension Framing {
  func view(
    ofWidth width: Int, height: Int, imageSize: Int, random: inout RandomStream
  ) -> View {
    switch self {
    case .center(let shorterSide):
      let shorter = min(width, height)
      let (scaledWidth, scaledHeight) = (
        shorterSide * width / shorter, shorterSide * height / shorter
      )
      return View(
        region: PixelRectangle(width: width, height: height),
        width: scaledWidth, height: scaledHeight,
        window: PixelRectangle(
          x: Self.centerOffset(scaledWidth - imageSize),
          y: Self.centerOffset(scaledHeight - imageSize),
          width: imageSize, height: imageSize))
    case .randomResized(let area, let aspect):
      return View(
        region: Self.randomRegion(
          width: width, height: height, area: area, aspect: aspect, random: &random),
        width: imageSize, height: imageSize,
        window: PixelRectangle(width: imageSize, height: imageSize))
    }
  }

  /// Half of the excess; ties round to even, as in torchvision.
  static func centerOffset(_ excess: Int) -> Int {
    Int((Double(excess) / 2).rounded(.toNearestOrEven))
  }

  /// Ten attempts at a random rectangle that fits; else the largest central one of allowed shape.
  private static func randomRegion(
    width: Int, height: Int, area: ClosedRange<Double>, aspect: ClosedRange<Double>,
    random: inout RandomStream
  ) -> PixelRectangle {
    func roundedToEven(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }
    func uniform(_ low: Double, _ high: Double) -> Double {
      low + (high - low) * Double(random.uniform())
    }

    for _ in 0..<10 {
      let target = Double(width * height) * uniform(area.lowerBound, area.upperBound)
      let shape = exp(uniform(log(aspect.lowerBound), log(aspect.upperBound)))
      let w = roundedToEven((target * shape).squareRoot())
      let h = roundedToEven((target / shape).squareRoot())
      guard 0 < w, w <= width, 0 < h, h <= height else { continue }
      return PixelRectangle(
        x: random.uniform(below: width - w + 1), y: random.uniform(below: height - h + 1),
        width: w, height: h)
    }

    let shape = Double(width) / Double(height)
    var region = PixelRectangle(width: width, height: height)
    if shape < aspect.lowerBound {
      region.height = max(roundedToEven(Double(width) / aspect.lowerBound), 1)
    } else if shape > aspect.upperBound {
      region.width = max(roundedToEven(Double(height) * aspect.upperBound), 1)
    }
    region.x = (width - region.width) / 2
    region.y = (height - region.height) / 2
    return region
  }
}
