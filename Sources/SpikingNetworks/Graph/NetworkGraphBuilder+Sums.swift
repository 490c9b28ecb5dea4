import Tensors

extension NetworkGraphBuilder {
  /// The nodes of a sum, and the factor that all have in common.
  ///
  /// - Parameter layer: which reads them.
  mutating func sources(
    of x: GraphSignal, for layer: String
  ) throws(NetworkGraphError) -> (names: [String], factor: Float) {
    var factors: [(name: String, factor: Float)] = []
    for term in try placed(x, for: layer).terms {
      if case .placed(let name, let factor) = term { factors.append((name, factor)) }
    }
    guard let common = factors.first?.factor else { return ([], 1) }
    guard !factors.allSatisfy({ $0.factor == common }) else { return (factors.map(\.name), common) }
    let names = factors.enumerated().map { index, source in
      guard source.factor != 1 else { return source.name }
      let node = diagonal("\(layer).scale\(index)", [source.name], x.shape, source.factor)
      nodes.append(node)
      return node.name
    }
    return (names, 1)
  }

  /// The same sum of nodes that are in the graph.
  mutating func placed(
    _ x: GraphSignal, for layer: String
  ) throws(NetworkGraphError) -> GraphSignal {
    if let pool = x.waiting.first {
      throw NetworkGraphError(
        layer: pool.name,
        problem: "averages windows of several sizes, which only a linear layer can take into its"
          + " weights, but \(layer) follows")
    }
    var x = x
    x.terms = x.terms.map { term in
      guard case .open(let node) = term else { return term }
      nodes.append(node)
      return .placed(node.name, factor: 1)
    }
    return x
  }

  /// The sum after an affine map of each channel, which goes into the weights that it comes from. Where others
  /// read the same nodes, it gets a node of its own.
  mutating func following(
    _ x: GraphSignal, _ scale: [Float], _ shift: [Float], for layer: String
  ) throws(NetworkGraphError) -> GraphSignal {
    var (open, others): ([NetworkGraph.Node], [GraphSignal.Term]) = ([], [])
    for term in x.terms {
      switch term {
      case .open(let node): open.append(node)
      case .placed: others.append(term)
      }
    }
    if !others.isEmpty {
      var rest = x
      rest.terms = others
      let (names, factor) = try sources(of: rest, for: layer)
      open.append(diagonal(layer + ".input", names, x.shape, factor))
    }
    let none = [Float](repeating: 0, count: shift.count)
    var sum = x
    sum.terms = open.enumerated().map { index, node in
      .open(node.followed(by: scale, plus: index == 0 ? shift : none))
    }
    return sum
  }

  mutating func add(
    _ name: String, _ operation: NetworkGraph.Operation, _ sources: [String], from input: [Int],
    to output: [Int]
  ) {
    nodes.append(
      NetworkGraph.Node(
        name: name, operation: operation, sources: sources, inputShape: input,
        outputShape: output))
  }

  func open(
    _ name: String, _ operation: NetworkGraph.Operation, _ sources: [String], from input: [Int],
    to output: [Int]
  ) -> GraphSignal {
    let node = NetworkGraph.Node(
      name: name, operation: operation, sources: sources, inputShape: input, outputShape: output)
    return GraphSignal(shape: output, terms: [.open(node)])
  }

  /// A node that multiplies all channels by a factor.
  private func diagonal(
    _ name: String, _ sources: [String], _ shape: [Int], _ factor: Float
  ) -> NetworkGraph.Node {
    let channels = shape[0]
    var map = NetworkGraph.LinearMap(
      weights: [Float](repeating: 0, count: channels * channels),
      biases: [Float](repeating: 0, count: channels))
    for c in 0..<channels { map.weights[c * channels + c] = factor }
    return NetworkGraph.Node(
      name: name,
      operation: shape.count == 1 ? .linear(map) : .convolution(map, SlidingWindow(kernel: 1)),
      sources: sources, inputShape: shape, outputShape: shape)
  }
}
