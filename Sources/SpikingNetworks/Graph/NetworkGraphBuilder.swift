import Tensors

/// Goes through a network in the order of the forward pass, and adds a graph's nodes.
struct NetworkGraphBuilder {
  var nodes: [NetworkGraph.Node] = []
  /// Where weights are computed.
  private let arena: Arena

  init(_ arena: Arena) { self.arena = arena }

  mutating func pass(
    _ body: NetworkBody, _ input: GraphSignal
  ) throws(NetworkGraphError) -> GraphSignal {
    var x = try convolve(body.stem.convolution, input)
    for pool in body.stem.pools { x = try average(pool, x) }
    return try pass(body.sections.flatMap { $0 }, x)
  }

  private mutating func pass(
    _ nodes: [any Node], _ input: GraphSignal
  ) throws(NetworkGraphError) -> GraphSignal {
    var x = input
    for node in nodes { x = try pass(node, x) }
    return x
  }

  private mutating func pass(
    _ node: any Node, _ x: GraphSignal
  ) throws(NetworkGraphError) -> GraphSignal {
    switch node {
    case let layer as any ConvolutionLayer: return try convolve(layer, x)
    case let layer as LIFNeuron: return try fire(layer, x)
    case let layer as AveragePool: return try average(layer, x)
    case let layer as Linear: return try multiply(layer, x)
    // In evaluation it drops nothing.
    case is Dropout: return x
    case let layer as MaxPool:
      throw NetworkGraphError(
        layer: layer.name,
        problem: "is a max pool, which is neither neurons nor a linear map: take an average pool"
          + " (sew-resnet has none with model.stem=cifar)")
    case let residual as Residual:
      let input = try placed(x, for: "a residual")
      let branch = try pass(residual.branch, input)
      guard let shortcut = residual.shortcut else { return branch.adding(input) }
      return branch.adding(try pass(shortcut, input))
    case let residual as SpikeResidual:
      let input = try placed(x, for: "a residual")
      return try pass(residual.branch, input).adding(try pass(residual.shortcut, input))
    default: preconditionFailure("\(type(of: node)) is none of the nodes that a builder makes")
    }
  }

  private mutating func convolve(
    _ layer: any ConvolutionLayer, _ x: GraphSignal
  ) throws(NetworkGraphError) -> GraphSignal {
    try requireImage(x, for: layer.name)
    let (sources, factor) = try sources(of: x, for: layer.name)
    let (parameter, output) = (layer.weight, layer.output)
    let values = layer.weights.elements(in: arena)
    let map = NetworkGraph.LinearMap(
      weights: (0..<parameter.count).map { values[parameter.layout.place($0)] * factor },
      biases: (0..<output.c).map { layer.biases?[$0] ?? 0 })
    return open(
      layer.name, .convolution(map, layer.convolution.geometry.window), sources, from: x.shape,
      to: [output.c, output.h, output.w])
  }

  private mutating func multiply(
    _ layer: Linear, _ x: GraphSignal
  ) throws(NetworkGraphError) -> GraphSignal {
    guard case .linear(let outputs, let shape) = layer.weight.layout else {
      preconditionFailure("a linear layer's weights are laid out as such")
    }
    // The weights of what is averaged are those of the averages, spread as their gradient would be.
    var weights = Tensor(
      shape.withSamples(outputs), (0..<layer.weight.count).map { layer.weight.values[$0] },
      in: arena)
    for pool in x.waiting.reversed() { weights = pool.backward(weights, in: arena) }
    var x = x
    x.waiting = []
    var (sources, factor) = try sources(of: x, for: layer.name)
    if x.shape.count > 1 {
      let name = layer.name + ".flatten"
      let count = x.shape.reduce(1, *)
      add(name, .flatten, sources, from: x.shape, to: [count])
      (sources, x.shape) = ([name], [count])
    }
    let layout = ParameterLayout.linear(outputs: outputs, input: weights.shape)
    let map = NetworkGraph.LinearMap(
      weights: (0..<weights.shape.count).map { weights[layout.place($0)] * factor },
      biases: (0..<outputs).map { layer.bias.values[$0] })
    return open(layer.name, .linear(map), sources, from: x.shape, to: [outputs])
  }

  private mutating func average(
    _ layer: AveragePool, _ x: GraphSignal
  ) throws(NetworkGraphError) -> GraphSignal {
    try requireImage(x, for: layer.name)
    guard let window = layer.window, x.waiting.isEmpty else {
      var x = x
      x.waiting.append(layer)
      return x
    }
    guard window != SlidingWindow(kernel: 1) else { return x }
    let (sources, factor) = try sources(of: x, for: layer.name)
    let output = layer.output
    let shape = [output.c, output.h, output.w]
    add(layer.name, .averagePool(window), sources, from: x.shape, to: shape)
    return GraphSignal(shape: shape, terms: [.placed(layer.name, factor: factor)])
  }

  private mutating func fire(
    _ layer: LIFNeuron, _ x: GraphSignal
  ) throws(NetworkGraphError) -> GraphSignal {
    let affine = layer.inputAffine
    let scale = (0..<x.shape[0]).map { affine.scale[$0] }
    let shift = (0..<x.shape[0]).map { affine.shift[$0] }
    let isIdentity = scale.allSatisfy { $0 == 1 } && shift.allSatisfy { $0 == 0 }
    let input =
      isIdentity && !x.hasFactors ? x : try following(x, scale, shift, for: layer.name)
    let (sources, _) = try sources(of: input, for: layer.name)
    add(layer.name, .neurons(layer.dynamics), sources, from: x.shape, to: x.shape)
    return GraphSignal(
      shape: x.shape, terms: [.placed(layer.name, factor: layer.amplitude)])
  }

  private func requireImage(_ x: GraphSignal, for layer: String) throws(NetworkGraphError) {
    guard x.shape.count == 1 else { return }
    throw NetworkGraphError(
      layer: layer, problem: "slides over an image, but follows a linear layer, which gives none")
  }
}
