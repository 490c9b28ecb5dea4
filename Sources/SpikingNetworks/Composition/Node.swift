import Tensors

/// A part of a network that signals pass, one time step after the other. What its backward pass needs it
/// leaves on the tape by itself.
protocol Node: AnyObject {
  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal

  /// The gradient of the input from that of the output; adds to the parameters' gradients.
  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient
}

/// A node that can add its output to what is there.
protocol AddingNode: Node {
  /// Leaves on the tape what the backward pass needs of the input.
  func save(_ x: consuming Signal, _ tape: inout Tape)

  func output(of x: borrowing Signal, in arena: Arena) -> Tensor

  func add(_ x: borrowing Signal, to y: inout Tensor)
}

/// A node that can add a gradient of its input, which has come past it, in its own backward pass.
protocol SkippedNode: Node {
  /// Whether this one can.
  var addsSkip: Bool { get }

  func backward(
    _ gradient: consuming Gradient, skip: SharedTensor?, _ tape: inout Tape
  ) -> Gradient
}
