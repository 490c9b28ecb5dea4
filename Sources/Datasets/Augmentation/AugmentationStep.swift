import Tensors

/// One step of a transform, with its parameters; named and parameterised as torchvision's.
///
/// A step's `size` that is left out is the size of the network's input.
public protocol AugmentationStep: Sendable {
  /// As in configuration files: `random_crop`.
  static var name: String { get }
  /// Whether it draws random numbers.
  static var isRandom: Bool { get }
  /// With the default parameters.
  init()
  /// The side of the square images that the step gives; `nil` if they may have any shape.
  /// - Parameters:
  ///   - side: of the square images that it takes, `nil` if they may have any shape.
  ///   - imageSize: of the network's input.
  func side(after side: Int?, imageSize: Int) -> Int?
  /// What is wrong with the parameters together, to follow the step's name.
  var problem: String? { get }
}

extension AugmentationStep {
  public static var isRandom: Bool { true }
  public func side(after side: Int?, imageSize: Int) -> Int? { side }
  public var problem: String? { nil }
}

/// A step that changes 8-bit pixels.
protocol PixelStep: AugmentationStep {
  func apply(to canvas: inout ImageCanvas, random: inout RandomStream)
}

/// A step that depends on the image's size in pixels.
protocol ScalingStep: PixelStep {
  /// The length of the shorter side beyond which it gains little from more pixels.
  func neededSide(_ imageSize: Int) -> Int
}

/// A step that covers parts of the normalized image. Such steps come after all pixel steps.
protocol ErasingStep: AugmentationStep {
  func apply(to image: NormalizedImage, random: inout RandomStream)
}

/// A list of steps that cannot be used, and why.
public struct AugmentationError: Error, Equatable {
  /// What is wrong and what to do, to follow the list's name.
  public let problem: String
}

/// Checks that steps fit together and give square images of `imageSize` pixels.
public func checkAugmentation(
  _ steps: [any AugmentationStep], isTraining: Bool, imageSize: Int
) throws(AugmentationError) {
  var side: Int?
  var erasing: String?
  for step in steps {
    let name = type(of: step).name
    if let problem = step.problem {
      throw AugmentationError(problem: "has a \(name) whose \(problem)")
    }
    if type(of: step).isRandom && !isTraining {
      throw AugmentationError(
        problem: "has \(name), which is random, but evaluation must not be: remove it")
    }
    if step is any PixelStep, let erasing {
      throw AugmentationError(
        problem: "has \(name) after \(erasing), which covers parts of the finished image:"
          + " move \(erasing) to the end")
    }
    erasing = step is any ErasingStep ? name : nil
    side = step.side(after: side, imageSize: imageSize)
  }
  guard side != imageSize else { return }
  let result = side.map { "\($0) x \($0) pixels" } ?? "any shape"
  throw AugmentationError(
    problem: "gives images of \(result), but data.image_size is \(imageSize): add center_crop,"
      + " random_crop or random_resized_crop with that size")
}

extension RandomStream {
  /// Uniform between the bounds.
  mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * Double(uniform())
  }

  /// True with a probability.
  mutating func happens(_ probability: Double) -> Bool { Double(uniform()) < probability }
}
