/// The state of a layer of neurons at a time step, [N, H, W, C]. The potential is that before the reset,
/// which is a function of it: so a neuron that was reset to 0 still knows at which potential it fired.
public final class Membrane {
  /// u[t]
  public let potential: SharedTensor
  /// m[t] of complementary neurons, which grows with each spike.
  public let complement: SharedTensor?
  /// Distance of the potentials at which its neurons fire, at its time step.
  public internal(set) var threshold: Float = 0

  /// A state with undefined content.
  public init(_ shape: Shape, hasComplement: Bool = false, in arena: Arena) {
    potential = SharedTensor(Tensor(shape, in: arena))
    complement = hasComplement ? SharedTensor(Tensor(shape, in: arena)) : nil
  }

  init(potential: consuming Tensor, complement: SharedTensor? = nil, threshold: Float) {
    self.potential = SharedTensor(potential)
    self.complement = complement
    self.threshold = threshold
  }

  public var shape: Shape { potential.tensor.shape }
  /// Of the elements in memory.
  public var bytes: Int { potential.tensor.bytes + (complement?.tensor.bytes ?? 0) }
}
