import Tensors

/// A branch beside a shortcut, both of which give spikes, and the sum of both (SEW-ResNet with the connect
/// function ADD: Fang et al., NeurIPS 2021): `y = branch(x) + shortcut(x)`.
final class SpikeResidual: Node {
  let branch: [any Node]
  /// Empty: the input itself.
  let shortcut: [any Node]

  init(branch: [any Node], shortcut: [any Node]) {
    (self.branch, self.shortcut) = (branch, shortcut)
  }

  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    var past = x.shared()
    var y = consume x
    for node in branch { y = node.forward(y, &tape) }
    for node in shortcut { past = node.forward(past, &tape) }
    return y.adding(past, in: tape.arena)
  }

  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient {
    var gradient = gradient
    gradient.settle(in: tape.arena)
    let gy = gradient.value
    var past = Gradient(gy)
    for node in shortcut.reversed() { past = node.backward(past, &tape) }
    past.settle(in: tape.arena)
    var g = gradient
    for node in branch.reversed() { g = node.backward(g, &tape) }
    g.settle(in: tape.arena)
    g.more = past.value
    return g
  }
}

extension Signal {
  fileprivate consuming func adding(_ other: borrowing Signal, in arena: Arena) -> Signal {
    switch consume self {
    case .spikes(let x):
      switch other {
      case .spikes(let y): return .spikes(x.adding(y, in: arena))
      case .floats(var y):
        SharedTensor.makeUnique(&y, in: arena)
        y.tensor.add(x)
        return .floats(y)
      }
    case .floats(var x):
      SharedTensor.makeUnique(&x, in: arena)
      x.tensor.add(other)
      return .floats(x)
    }
  }
}
