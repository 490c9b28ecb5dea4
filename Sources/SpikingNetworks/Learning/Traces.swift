import Tensors

/// The presynaptic traces of layers with weights (OTTT: Xiao et al., "Online training through time for spiking
/// neural networks", NeurIPS 2022):
///
///     a[t] = decay a[t-1] + x[t]
///
/// x are the values that the layer reads, and a is [N, H, W, C] as they are.
struct Traces {
  private var traces: [ObjectIdentifier: SharedTensor] = [:]

  /// The trace of a layer's input, with that of one more time step.
  ///
  /// - Parameter decay: of the neurons whose spikes the layer reads.
  mutating func add(
    _ x: borrowing Signal, of layer: some WeightedLayer, decay: Float, in arena: Arena
  ) -> SharedTensor {
    let id = ObjectIdentifier(layer)
    guard var trace = traces.removeValue(forKey: id) else {
      var first = x.values(in: arena)
      SharedTensor.makeUnique(&first, in: arena)
      traces[id] = first
      return first
    }
    // The backward pass of the time step before has let go of it.
    SharedTensor.makeUnique(&trace, in: arena)
    switch x {
    case .floats(let x): trace.tensor.add(x.tensor, afterTimes: decay)
    case .spikes(let x): trace.tensor.add(x, afterTimes: decay)
    }
    traces[id] = trace
    return trace
  }
}
