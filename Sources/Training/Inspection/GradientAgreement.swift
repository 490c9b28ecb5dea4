import Tensors

/// How far a gradient g agrees with another one r of the same parameters.
struct GradientAgreement: Equatable {
  /// g · r
  private var product = 0.0
  /// |g|²
  private var squares = 0.0
  /// |r|²
  private var referenceSquares = 0.0

  /// Of no parameters yet.
  init() {}

  /// - Parameters:
  ///   - gradient: g
  ///   - reference: r, as long as g.
  init(_ gradient: FloatView, _ reference: FloatView) {
    precondition(gradient.count == reference.count)
    gradient.withUnsafeMutableBufferPointer { g in
      reference.withUnsafeMutableBufferPointer { r in
        for (g, r) in zip(g, r) {
          product += Double(g) * Double(r)
          squares += Double(g) * Double(g)
          referenceSquares += Double(r) * Double(r)
        }
      }
    }
  }

  /// That of both parameters together.
  static func + (a: GradientAgreement, b: GradientAgreement) -> GradientAgreement {
    var sum = a
    sum.product += b.product
    sum.squares += b.squares
    sum.referenceSquares += b.referenceSquares
    return sum
  }

  /// g · r / (|g| |r|); nil where one of both is 0.
  var cosine: Double? {
    let norms = (squares * referenceSquares).squareRoot()
    return norms > 0 ? product / norms : nil
  }

  /// |g| / |r|; nil where r is 0.
  var normRatio: Double? {
    referenceSquares > 0 ? (squares / referenceSquares).squareRoot() : nil
  }

  /// |r|
  var referenceNorm: Double { referenceSquares.squareRoot() }
}
