internal import CSpikeKernels

/// The surrogate for the derivative of a spike with respect to `z = u - threshold`.
public struct SurrogateGradient: Equatable, Sendable {
  /// The form of the function, named as in configuration files.
  public enum Shape: String, CaseIterable, Sendable {
    /// `max(0, a - a²|z|)`
    case triangle
    /// `1/a` where `|z| <= a/2`, else 0
    case rectangle
    /// `a σ(az)(1 - σ(az))`
    case sigmoid
    /// `a / (2 + 2 (π a z / 2)²)`
    case arctan
  }

  /// The form of the function.
  public var shape: Shape
  /// `a` in the formulas of `Shape`.
  public var width: Float

  /// Without a width, the published one: 1 for triangle and rectangle, 4 for sigmoid, 2 for arctan
  /// (SpikingJelly's default).
  public init(_ shape: Shape, width: Float? = nil) {
    self.shape = shape
    self.width = width ?? shape.publishedWidth
  }

  var kernel: sltt_surrogate {
    switch shape {
    case .triangle: SLTT_TRIANGLE
    case .rectangle: SLTT_RECTANGLE
    case .sigmoid: SLTT_SIGMOID
    case .arctan: SLTT_ARCTAN
    }
  }
}

extension SurrogateGradient.Shape {
  fileprivate var publishedWidth: Float {
    switch self {
    case .triangle, .rectangle: 1
    case .sigmoid: 4
    case .arctan: 2
    }
  }
}
