import Distributed
import SpikingNetworks
import Tensors

/// Clipping of the gradient g of each unit of a parameter by the norm of the unit's weights w (Brock et al.,
/// "High-performance large-scale image recognition without normalization", ICML 2021), with the units of
/// timm's `adaptive_clip_grad`:
///
///     g *= min(1, λ max(|w|, 1e-3) / |g|)
///
/// The classifier is left out, as published.
struct AdaptiveClipping {
  /// So that weights which are 0 can learn.
  private static let leastWeight = 1e-3

  private let λ: Double
  private let parameters: [ParameterUnits]

  /// - Parameter classifier: names of its parameters.
  init(_ λ: Double, _ store: ParameterStore, classifier: [String]) {
    self.λ = λ
    parameters = store.parameters.filter { !classifier.contains($0.name) }.map {
      ParameterUnits(of: $0, at: store.range(of: $0))
    }
  }

  /// Number of units of all parameters.
  var unitCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// Shortens the gradient.
  ///
  /// - Parameter gradients: sums over the ranks, the same on all of them.
  func clip(_ gradients: FloatView, of weights: FloatView) {
    let all = 0..<gradients.count
    clip(gradients, of: weights, counting: [all], changing: [all]) { _ in }
  }

  /// Shortens a gradient that is divided among the ranks: this rank's parts, and what is everybody's. A
  /// collective.
  ///
  /// - Parameters:
  ///   - gradients: of all parameters, in which this rank's parts are sums over the ranks.
  ///   - weights: the same on all ranks.
  ///   - reducer: adds up a number for each unit.
  func clip(
    _ gradients: FloatView, of weights: FloatView, _ shards: OptimizerShards,
    _ reducer: GradientReducer
  ) throws {
    let own = shards.chunks.map { shards.part(of: $0) }
    let all = own + [shards.dividedCount..<gradients.count]
    // What is everybody's counts once.
    let counted = reducer.communicator.isRoot ? all : own
    try clip(gradients, of: weights, counting: counted, changing: all) {
      try $0.withUnsafeMutableBufferPointer { try reducer.reduce($0) }
    }
  }

  /// - Parameters:
  ///   - counted: parts whose squares this rank adds to the norms.
  ///   - changed: parts that this rank shortens.
  ///   - reduce: adds numbers up over the ranks.
  private func clip(
    _ gradients: FloatView, of weights: FloatView, counting counted: [Range<Int>],
    changing changed: [Range<Int>], _ reduce: (FloatView) throws -> Void
  ) rethrows {
    // (|g| / (λ max(|w|, 1e-3)))² of all units: numbers around 1, which travel as floats.
    let squares = FlatBuffer(count: unitCount)
    var places: [FloatView] = []
    var offset = 0
    for parameter in parameters {
      let place = squares[offset..<offset + parameter.count]
      var (w, g) = (
        [Double](repeating: 0, count: parameter.count),
        [Double](repeating: 0, count: parameter.count)
      )
      parameter.addSquares(of: weights, in: parameter.range, to: &w)
      for part in counted { parameter.addSquares(of: gradients, in: part, to: &g) }
      place.assign(
        zip(w, g).map { w, g in
          let limit = λ * max(w.squareRoot(), Self.leastWeight)
          return Float(g / (limit * limit))
        })
      places.append(place)
      offset += parameter.count
    }
    try reduce(squares.all)
    for (parameter, place) in zip(parameters, places) {
      let factors = place.elements.map { 1 / max(1, $0.squareRoot()) }
      guard factors.contains(where: { $0 < 1 }) else { continue }
      for part in changed { parameter.multiply(gradients, in: part, by: factors) }
    }
  }
}
