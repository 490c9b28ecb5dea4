import Tensors

/// A walk over a network's parts that computes shapes, and finds the first part that does not fit.
struct NetworkCheck {
  /// More than any machine holds.
  private static let mostWeights = 0x1p37
  /// As libraries count.
  private static let mostElements = Double(Int32.max)

  private let specification: NetworkSpecification
  /// Of one sample, before the next part.
  private var shape: Shape
  /// Of the layers so far. A sum of products that may exceed every integer.
  private var weights = 0.0
  private var paths: Set<String> = []
  private var hasNeurons = false
  /// Whether spikes flow before the next part, and not floats.
  private var isSpikes = false
  /// A batch norm that waits for its neuron.
  private var norm: PlacedPart?

  private init(_ specification: NetworkSpecification) {
    self.specification = specification
    shape = specification.input
  }

  static func run(
    _ parts: [PlacedPart], _ specification: NetworkSpecification
  ) throws(NetworkError) {
    var check = NetworkCheck(specification)
    let layers = parts.layers
    guard let first = layers.first, let last = layers.last else {
      throw NetworkError(.composition, "has no layers")
    }
    guard case .convolution = first.part else {
      throw first.error(
        .composition, "comes first, but a network begins with a convolution of its input")
    }
    try check.requireCountable(check.shape, first, "input")
    try check.pass(parts)
    guard case .linear(let part) = last.part else {
      throw last.error(
        .composition, "comes last, but a network ends in a linear layer, which gives the classes")
    }
    if case .count(let count) = part.outputs, count != specification.classes {
      throw last.error(
        .composition,
        "comes last and gives \(count) outputs, but there are \(specification.classes) classes:"
          + " leave its outputs out")
    }
    guard check.hasNeurons else {
      throw NetworkError(.composition, "has no neurons: a spiking network needs some")
    }
  }

  private mutating func pass(_ parts: [PlacedPart]) throws(NetworkError) {
    for part in parts {
      try requireUnique(part)
      if part.isGroup {
        try pass(part.children)
      } else {
        if let norm {
          guard case .neuron = part.part else { throw norm.withoutNeuron(before: part) }
        }
        try pass(part)
      }
    }
  }

  private mutating func requireUnique(_ part: PlacedPart) throws(NetworkError) {
    if case .residual = part.part {
      guard let gain = part.gain, !paths.insert(gain).inserted else { return }
      throw part.error(
        .composition,
        "has a skip_init as another one of its group: put each into a sequence of its own")
    }
    guard paths.insert(part.path).inserted else {
      throw part.error(.composition, "has the name of another layer: give it one of its own")
    }
  }

  private mutating func pass(_ part: PlacedPart) throws(NetworkError) {
    switch part.part {
    case .convolution(let layer): try convolve(layer, part)
    case .batchNorm:
      norm = part
      if shape.pixels == 1 {
        throw part.error(
          .imageTooSmall,
          "normalises \(part.text(shape)), but a single pixel has no variance over one sample: put it"
            + " where there are more pixels, or leave it out")
      }
    case .neuron(let layer):
      if norm != nil && layer.inputScale != 1 {
        throw part.error(
          .composition,
          "has an input_scale, but the batch norm before it scales its input: remove one of them")
      }
      norm = nil
      hasNeurons = true
      isSpikes = true
      if let (key, problem) = layer.specification(specification.neuron).problem {
        throw part.error(.composition, "has neurons that make no sense: \(key) \(problem)")
      }
    case .averagePool(let layer):
      isSpikes = false
      try slide(layer.window, channels: shape.c, part)
    case .maxPool(let layer): try slide(layer.window, channels: shape.c, part)
    case .adaptivePool(let layer):
      isSpikes = false
      shape = Shape(n: 1, h: layer.size, w: layer.size, c: shape.c)
      try requireCountable(shape, part, "output")
    case .dropout: break
    case .linear(let layer):
      isSpikes = false
      let outputs = layer.outputs.count(classes: specification.classes)
      try add(Double(shape.count) * Double(outputs), part)
      shape = Shape(n: 1, c: outputs)
    case .residual(let residual):
      if residual.isOfSpikes {
        try passSpikes(residual, part)
      } else {
        try pass(residual, part)
      }
    case .sequence, .repetition: preconditionFailure("groups are passed part by part")
    }
  }

  private mutating func convolve(
    _ layer: ConvolutionPart, _ part: PlacedPart
  ) throws(NetworkError) {
    let fanIn = layer.kernel * layer.kernel * shape.c
    if layer.isStandardized && fanIn == 1 {
      throw part.error(
        .tooFewChannels,
        "reads \(part.text(shape)) with one weight for each of its channels, which has no variance"
          + " to standardise by")
    }
    isSpikes = false
    try add(Double(fanIn) * Double(layer.channels), part)
    try slide(layer.window, channels: layer.channels, part)
  }

  private mutating func slide(
    _ window: SlidingWindow, channels: Int, _ part: PlacedPart
  ) throws(NetworkError) {
    if window.padding >= window.kernel {
      throw part.error(
        .composition,
        "has a padding of \(window.padding) beside windows of \(window.kernel)x\(window.kernel), so"
          + " that some hold nothing: lower it")
    }
    let output = window.output(of: shape, channels: channels)
    if output.h < 1 || output.w < 1 {
      let padding = window.padding > 0 ? " with a padding of \(window.padding)" : ""
      throw part.error(
        .imageTooSmall,
        "has a window of \(window.kernel)x\(window.kernel)\(padding), which does not fit into"
          + " \(part.text(shape))")
    }
    shape = output
    try requireCountable(shape, part, "output")
  }

  private mutating func pass(
    _ residual: ResidualPart, _ part: PlacedPart
  ) throws(NetworkError) {
    let input = shape
    let layers = part.branch.layers
    guard case .convolution(let end)? = layers.last?.part else {
      throw (layers.last ?? part).error(
        .composition,
        "ends the branch of a residual, which must end in a convolution, or in a neuron for a sum of"
          + " spikes")
    }
    if let first = part.shortcut.first {
      guard case .convolution = first.part, part.shortcut.count == 1 else {
        throw first.error(
          .composition,
          "begins the shortcut of a residual whose branch ends in a convolution, so that it must be a"
            + " single convolution")
      }
    }
    let nodes = layers.filter { layer in
      switch layer.part {
      case .batchNorm, .dropout: false
      default: true
      }
    }
    guard nodes.count > 1 else {
      throw part.error(
        .composition,
        "has a single layer in its branch: put neurons, or another layer, before the convolution")
    }
    if residual.skipInit != nil && !end.isStandardized {
      throw part.error(
        .composition,
        "has a skip_init, for which its branch must end in a standardised convolution")
    }
    let output = try passBranch(part)
    guard !part.shortcut.isEmpty else {
      guard input == output else {
        let stride = max(1, Int((Double(input.h) / Double(output.h)).rounded()))
        throw part.error(
          .composition,
          part.difference(input, output)
            + " cannot be added: give it a shortcut, a convolution with kernel 1,"
            + " stride \(stride) and \(output.c) channels")
      }
      isSpikes = false
      return
    }
    try passShortcut(part, input, output)
  }

  /// A sum of spikes.
  private mutating func passSpikes(
    _ residual: ResidualPart, _ part: PlacedPart
  ) throws(NetworkError) {
    let (input, wereSpikes) = (shape, isSpikes)
    if residual.skipInit != nil {
      throw part.error(
        .composition,
        "has a skip_init, for which its branch must end in a standardised convolution")
    }
    let output = try passBranch(part)
    guard !part.shortcut.isEmpty else {
      guard wereSpikes else {
        throw part.error(
          .composition,
          "adds spikes to floats: put a neuron before it, or give it a shortcut that ends in one")
      }
      guard input == output else {
        throw part.error(
          .composition,
          part.difference(input, output)
            + " cannot be added: give it a shortcut that ends in a neuron")
      }
      return
    }
    isSpikes = wereSpikes
    try passShortcut(part, input, output)
    guard isSpikes else {
      throw part.shortcut.last!.error(
        .composition,
        "ends the shortcut of a residual whose branch ends in a neuron, so that it must be one, too"
      )
    }
  }

  /// - Returns: the shape behind the branch.
  private mutating func passBranch(_ part: PlacedPart) throws(NetworkError) -> Shape {
    try pass(part.branch)
    return shape
  }

  private mutating func passShortcut(
    _ part: PlacedPart, _ input: Shape, _ output: Shape
  ) throws(NetworkError) {
    shape = input
    try pass(part.shortcut)
    if let norm {
      throw norm.error(
        .composition,
        "is a batch norm, which needs a neuron right after it, but ends the shortcut")
    }
    guard shape == output else {
      throw part.error(
        .composition,
        "has a branch that makes \(part.text(output)) of \(part.text(input)), but its shortcut makes"
          + " \(part.text(shape))")
    }
  }

  private mutating func add(_ count: Double, _ part: PlacedPart) throws(NetworkError) {
    weights += count
    guard weights > Self.mostWeights else { return }
    throw part.error(
      .tooManyWeights,
      "reads \(part.text(shape)) and gives the network more than \(Int(Self.mostWeights)) weights")
  }

  private func requireCountable(
    _ shape: Shape, _ part: PlacedPart, _ side: String
  ) throws(NetworkError) {
    let count = Double(shape.h) * Double(shape.w) * Double(shape.c)
    guard count > Self.mostElements else { return }
    throw part.error(
      .imageTooLarge,
      "has an \(side) of \(part.text(shape)), more than \(Int(Self.mostElements)) numbers for a"
        + " single image")
  }
}

extension PlacedPart {
  /// For people.
  private var label: String {
    guard case .residual = part else { return "layer '\(path)'" }
    return path.isEmpty ? "a residual" : "the residual of '\(path)'"
  }

  fileprivate func error(_ cause: NetworkError.Cause, _ problem: String) -> NetworkError {
    NetworkError(cause, problem, layer: .init(name: label, number: number))
  }

  fileprivate func withoutNeuron(before next: PlacedPart) -> NetworkError {
    error(
      .composition,
      "is a batch norm, which needs a neuron right after it, but \(next.label) follows")
  }

  fileprivate func difference(_ input: Shape, _ output: Shape) -> String {
    "has a branch that makes \(text(output)) of \(text(input)), so that the two"
  }

  /// Height, width and channels.
  fileprivate func text(_ shape: Shape) -> String { "\(shape.h)x\(shape.w)x\(shape.c)" }
}
