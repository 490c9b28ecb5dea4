/// What the backward pass of a normalisation is given of its input x.
public enum NormalizationInput {
  /// x itself.
  case exact(SharedTensor)
  /// x less each channel's mean, rounded to bfloat16: half the memory. As the means are gone, rounding is
  /// small beside the channel's deviation wherever its mean lies.
  case centered(RoundedTensor)

  /// Of the elements.
  public var shape: Shape {
    switch self {
    case .exact(let x): x.tensor.shape
    case .centered(let x): x.shape
    }
  }

  /// Of the elements in memory.
  public var bytes: Int {
    switch self {
    case .exact(let x): x.tensor.bytes
    case .centered(let x): x.bytes
    }
  }

  var exact: UnsafePointer<Float>? {
    guard case .exact(let x) = self else { return nil }
    return UnsafePointer(x.tensor.pointer)
  }

  var centered: UnsafePointer<UInt16>? {
    guard case .centered(let x) = self else { return nil }
    return UnsafePointer(x.pointer)
  }
}

/// A tensor of bfloat16 numbers with undefined content at first.
public final class RoundedTensor {
  public let shape: Shape
  private let block: BFloat16Block

  public init(_ shape: Shape, in arena: Arena) {
    self.shape = shape
    block = BFloat16Block(count: shape.count, in: arena)
  }

  var pointer: UnsafeMutablePointer<UInt16> { block.pointer }

  /// Of the elements in memory.
  public var bytes: Int { shape.count * MemoryLayout<UInt16>.stride }
}
