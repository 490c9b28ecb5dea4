/// A tensor with several owners: the membrane potential is at once the state of a neuron and what
/// the backward pass of its time step needs.
public final class SharedTensor {
  /// The tensor; kernels may also write to its memory in place.
  public var tensor: Tensor

  public init(_ tensor: consuming Tensor) {
    self.tensor = tensor
  }

  /// Lets `shared` be a tensor that nobody else owns: the same, or a copy.
  public static func makeUnique(_ shared: inout SharedTensor, in arena: Arena) {
    guard !isKnownUniquelyReferenced(&shared) else { return }
    shared = SharedTensor(shared.tensor.copy(in: arena))
  }
}
