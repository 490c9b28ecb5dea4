import Tensors

/// What flows from node to node in the forward pass, [N, H, W, C]. It may have other owners, such as the
/// tape.
enum Signal: ~Copyable {
  case floats(SharedTensor)
  case spikes(Spikes)

  var shape: Shape {
    switch self {
    case .floats(let x): x.tensor.shape
    case .spikes(let x): x.shape
    }
  }

  /// The same signal for one more owner.
  borrowing func shared() -> Signal {
    switch self {
    case .floats(let x): .floats(x)
    case .spikes(let x): .spikes(x)
    }
  }

  /// The floats, shared with their other owners, or what the spikes stand for, in new memory.
  borrowing func values(in arena: Arena) -> SharedTensor {
    switch self {
    case .floats(let x): x
    case .spikes(let x): SharedTensor(x.unpacked(in: arena))
    }
  }

  /// - Precondition: the signal is floats; the builder puts nodes where it is.
  consuming func floats() -> SharedTensor {
    switch consume self {
    case .floats(let x): return x
    case .spikes: preconditionFailure("these are spikes")
    }
  }
}
