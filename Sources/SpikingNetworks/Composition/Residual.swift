import Tensors

/// To which way of a residual the other one is added.
enum ResidualBase: CaseIterable, Sendable {
  case branch, shortcut
}

/// A branch beside a shortcut, and the sum of both: `y = branch(x) + shortcut(x)`.
///
/// The branch's last node adds its output to the shortcut's, or the shortcut its own to the branch's, so
/// that the sum takes no pass of its own and, where the shortcut is the input itself, no memory.
final class Residual: Node {
  private let first: any Node
  private let inner: [any Node]
  private let last: any AddingNode
  /// nil: the input itself.
  let shortcut: (any AddingNode)?
  private let base: ResidualBase

  /// - Parameter branch: two nodes or more, of which the last one can add.
  init(branch: [any Node], shortcut: (any AddingNode)?, base: ResidualBase) {
    guard branch.count > 1, let last = branch.last as? any AddingNode else {
      preconditionFailure("the builder makes branches of several nodes that end in a convolution")
    }
    (first, inner, self.last) = (branch[0], Array(branch[1..<branch.count - 1]), last)
    (self.shortcut, self.base) = (shortcut, base)
  }

  /// In the order of the forward pass.
  var branch: [any Node] { [first] + inner + [last] }

  func forward(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    // The shortcut goes back after the branch, so that its gradient does not take memory meanwhile.
    shortcut?.save(x.shared(), &tape)
    switch base {
    case .branch:
      let input = x.shared()
      let s = beforeLast(x, &tape)
      var y = last.output(of: s, in: tape.arena)
      last.save(s, &tape)
      if let shortcut {
        shortcut.add(input, to: &y)
      } else {
        y.add(input)
      }
      return .floats(SharedTensor(y))
    case .shortcut:
      var y =
        shortcut.map { SharedTensor($0.output(of: x, in: tape.arena)) }
        ?? x.values(in: tape.arena)
      let s = beforeLast(x, &tape)
      SharedTensor.makeUnique(&y, in: tape.arena)
      last.add(s, to: &y.tensor)
      last.save(s, &tape)
      return .floats(y)
    }
  }

  private func beforeLast(_ x: consuming Signal, _ tape: inout Tape) -> Signal {
    var x = first.forward(x, &tape)
    for node in inner { x = node.forward(x, &tape) }
    return x
  }

  func backward(_ gradient: consuming Gradient, _ tape: inout Tape) -> Gradient {
    var gradient = gradient
    gradient.settle(in: tape.arena)
    let gy = gradient.value
    var g = last.backward(gradient, &tape)
    for node in inner.reversed() { g = node.backward(g, &tape) }
    if shortcut == nil, let first = first as? any SkippedNode, first.addsSkip {
      return first.backward(g, skip: gy, &tape)
    }
    g = first.backward(g, &tape)
    g.settle(in: tape.arena)
    guard let shortcut else {
      g.more = gy
      return g
    }
    var past = shortcut.backward(Gradient(gy), &tape)
    past.settle(in: tape.arena)
    g.more = past.value
    return g
  }
}

extension Tensor {
  mutating func add(_ signal: borrowing Signal) {
    switch signal {
    case .floats(let x): add(x.tensor)
    case .spikes(let x): add(x)
    }
  }
}
