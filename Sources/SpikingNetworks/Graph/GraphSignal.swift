/// What flows from node to node while a graph is put together: the sum of some nodes' outputs.
struct GraphSignal {
  enum Term {
    /// The output of a node in the graph, times a factor.
    case placed(String, factor: Float)
    /// A node with weights that nobody has read yet: it can take in an affine map of its channels.
    case open(NetworkGraph.Node)
  }

  /// Without what waits.
  var shape: [Int]
  var terms: [Term]
  /// Pools with windows of several sizes, in the order of the forward pass, which wait for the linear layer
  /// that takes them into its weights.
  var waiting: [AveragePool] = []
}

extension GraphSignal {
  /// Whether a node's output is multiplied by something.
  var hasFactors: Bool {
    terms.contains { if case .placed(_, let factor) = $0 { factor != 1 } else { false } }
  }

  func adding(_ other: GraphSignal) -> GraphSignal {
    precondition(shape == other.shape && waiting.isEmpty && other.waiting.isEmpty)
    var sum = self
    sum.terms += other.terms
    return sum
  }
}
