import Tensors

/// A layer that multiplies its input, floats or spikes, by weights. The gradient of the weights needs the
/// input; in what form that is kept is the tape's decision, the same for all such layers.
protocol WeightedLayer: Layer, Node {
  /// The neurons whose spikes it reads, pooled or not; `nil`: it reads no spikes, or sums of them.
  var source: (any NeuronLayer)? { get }
  /// Spikes that it has read in the forward passes of the sequence so far.
  var spikeInput: SpikeInput { get }

  func output(of x: borrowing Signal, in arena: Arena) -> Tensor

  /// Leaves on the tape what `backwardWeights` needs of the input.
  func save(_ x: consuming Signal, _ tape: inout Tape)

  /// Adds to the gradients of the parameters, with what `save` left on the tape.
  func backwardWeights(_ gy: borrowing Tensor, from tape: inout Tape)

  /// The same for an input.
  func backwardWeights(_ gy: borrowing Tensor, input x: borrowing Signal)

  func backwardInput(_ gy: borrowing Tensor, in arena: Arena) -> Tensor
}

extension WeightedLayer {
  func save(_ x: consuming Signal, _ tape: inout Tape) { tape.pushInput(x, of: self) }

  func backwardWeights(_ gy: borrowing Tensor, from tape: inout Tape) {
    backwardWeights(gy, input: tape.popInput())
  }

  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    let y = output(of: x, in: tape.arena)
    save(x, &tape)
    return .floats(SharedTensor(y))
  }

  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient {
    var gradient = gradient
    gradient.settle(in: tape.arena)
    backwardWeights(gradient.value.tensor, from: &tape)
    return Gradient(backwardInput(gradient.value.tensor, in: tape.arena))
  }
}
