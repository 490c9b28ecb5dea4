import TensorBoard

extension Replica {
  /// How weights, gradients of the latest iteration and membrane potentials (before the reset, at the latest time
  /// step) are distributed on this rank, by tags such as `weights/conv1.weight`.
  ///
  /// There are no gradients before the first iteration, nor where they are divided among the ranks.
  func histograms() -> [String: Histogram] {
    var found: [String: Histogram] = [:]
    let hasGradients = exchange.shards == nil && !network.store.gradients.isZero
    for parameter in network.store.parameters {
      parameter.values.withUnsafeMutableBufferPointer {
        found["weights/\(parameter.name)"] = Histogram(UnsafeBufferPointer($0))
      }
      guard hasGradients else { continue }
      parameter.gradient.withUnsafeMutableBufferPointer {
        found["gradients/\(parameter.name)"] = Histogram(UnsafeBufferPointer($0))
      }
    }
    network.forEachMembranePotential { layer, values in
      found["membrane_potential/\(layer)"] = Histogram(values)
    }
    return found
  }
}
