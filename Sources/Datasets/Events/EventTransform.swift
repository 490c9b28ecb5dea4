import Tensors

/// How training recordings are varied at random; all frames of one alike.
public struct EventAugmentation: Equatable, Sendable {
  /// Mirrors half of the recordings.
  public var flips: Bool
  /// Moves by up to so many pixels of the input, up or down and left or right; what comes in is 0.
  public var shift: Int
  /// The same, but what goes out on one side comes in on the other.
  public var roll: Int

  public init(flips: Bool = false, shift: Int = 0, roll: Int = 0) {
    (self.flips, self.shift, self.roll) = (flips, shift, roll)
  }
}

/// How the counts of a recording are scaled.
public enum EventNormalization: String, CaseIterable, Sendable {
  /// They stay counts.
  case none
  /// Divided by the largest of the recording.
  case maximum
}

/// Turns the frames of a recording into network inputs `[T, size, size, 2]`: resize, flip, shift,
/// roll, normalize, in this order.
///
/// Frames are resized with a triangle filter that is as wide as the reduction, the antialiased
/// bilinear filter of Pillow and torchvision, in floats: counts above 1 do not overflow, as they do
/// in published code that resizes frames as 8-bit images.
public struct EventTransform: Sendable {
  let imageSize: Int
  private let augmentation: EventAugmentation
  private let normalization: EventNormalization

  /// - Parameters:
  ///   - augmentation: `nil` in evaluation.
  ///   - imageSize: width and height of the result, pixels.
  public init(
    augmentation: EventAugmentation?, normalization: EventNormalization, imageSize: Int
  ) {
    self.augmentation = augmentation ?? EventAugmentation()
    self.normalization = normalization
    self.imageSize = imageSize
  }

  /// The random choices for one recording.
  struct Placement {
    var isFlipped = false
    var shift = (x: 0, y: 0)
    var roll = (x: 0, y: 0)
  }

  func placement(_ random: inout RandomStream) -> Placement {
    func offset(_ limit: Int, _ random: inout RandomStream) -> Int {
      limit == 0 ? 0 : random.uniform(below: 2 * limit + 1) - limit
    }
    var placement = Placement()
    placement.isFlipped = augmentation.flips && random.uniform() < 0.5
    placement.shift = (offset(augmentation.shift, &random), offset(augmentation.shift, &random))
    placement.roll = (offset(augmentation.roll, &random), offset(augmentation.roll, &random))
    return placement
  }

  /// Writes a frame that has the size of the result, `[size, size, 2]`, as it is placed.
  func place(
    _ frame: UnsafePointer<Float>, _ placement: Placement,
    output: UnsafeMutableBufferPointer<Float>
  ) {
    var next = 0
    for row in 0..<imageSize {
      let y = wrapped(row - placement.roll.y) - placement.shift.y
      for column in 0..<imageSize {
        let shifted = wrapped(column - placement.roll.x) - placement.shift.x
        let x = placement.isFlipped ? imageSize - 1 - shifted : shifted
        let isInside = y >= 0 && y < imageSize && x >= 0 && x < imageSize
        let pixel = isInside ? (y * imageSize + x) * 2 : 0
        output[next] = isInside ? frame[pixel] : 0
        output[next + 1] = isInside ? frame[pixel + 1] : 0
        next += 2
      }
    }
  }

  private func wrapped(_ position: Int) -> Int {
    let remainder = position % imageSize
    return remainder < 0 ? remainder + imageSize : remainder
  }

  /// The factor for a recording whose largest value is `maximum`.
  func scale(maximum: Float) -> Float {
    normalization == .maximum && maximum > 0 ? 1 / maximum : 1
  }
}
