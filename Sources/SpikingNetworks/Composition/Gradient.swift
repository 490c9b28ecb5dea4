import Tensors

/// The gradient of a signal on its way back, [N, H, W, C], with what is still to be done to it. A node
/// that can does that in its own pass over memory; the others settle it first.
struct Gradient: ~Copyable {
  /// Nobody else owns it, but where both ways of a residual go on from it.
  var value: SharedTensor
  /// What dropout made of the signal, if `value` is the gradient of that.
  var dropout: DropoutMask?
  /// To be added in the end.
  var more: SharedTensor?

  init(_ value: SharedTensor, dropout: DropoutMask? = nil, more: SharedTensor? = nil) {
    (self.value, self.dropout, self.more) = (value, dropout, more)
  }

  init(_ value: consuming Tensor) { self.init(SharedTensor(value)) }

  /// Leaves nothing to be done.
  mutating func settle(in arena: Arena) {
    guard dropout != nil || more != nil else { return }
    SharedTensor.makeUnique(&value, in: arena)
    dropout?.apply(to: &value.tensor)
    if let more { value.tensor.add(more.tensor) }
    (dropout, more) = (nil, nil)
  }
}
