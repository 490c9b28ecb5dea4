/// Averages over time that rate-based back-propagation makes its one backward pass with, in place of the
/// time steps (Yu et al., "Advancing training efficiency of deep spiking neural networks through rate-based
/// backpropagation", NeurIPS 2024). All are [N, H, W, C].
public final class FiringAverages {
  /// What the spikes of a time step stand for.
  public let spikes: SharedTensor
  /// The derivative of their number with respect to an input that is the same at all time steps.
  public let gains: SharedTensor
  /// dv[t]/dx for such an input; `nil` where all neurons have the same.
  let eligibility: SharedTensor?
  /// That of the neurons where all have the same.
  var uniformEligibility: Float = 0

  /// Averages of no time steps so far.
  public init(_ shape: Shape, of dynamics: MembraneDynamics, in arena: Arena) {
    func zeros() -> SharedTensor {
      var tensor = Tensor(shape, in: arena)
      tensor.fill(0)
      return SharedTensor(tensor)
    }
    (spikes, gains) = (zeros(), zeros())
    eligibility = dynamics.resetsAlike ? nil : zeros()
  }

  public static func bytes(_ shape: Shape, of dynamics: MembraneDynamics) -> Int {
    shape.count * 4 * (dynamics.resetsAlike ? 2 : 3)
  }
}
