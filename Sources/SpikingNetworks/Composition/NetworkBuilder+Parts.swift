import Tensors

/// A network's nodes.
struct NetworkBody {
  let stem: Stem
  /// By section. The stem's is the first one, without nodes.
  let sections: [[any Node]]
  /// Whether what follows the stem leaves the stem's output on the tape.
  let keepsStemOutput: Bool
}

/// A signal where a part is to be added.
private struct Place {
  /// Of one sample.
  var shape: Shape
  var input: LayerInput
  /// Waits for its neuron.
  var norm: (any Normalization)?

  init(_ shape: Shape, _ content: LayerInput.Content) {
    (self.shape, input) = (shape, LayerInput(content))
  }
}

extension NetworkBuilder {
  /// Makes the layers of parts. After the stem, each layer and residual is a section.
  ///
  /// - Precondition: `NetworkCheck` finds no problem.
  func body(of parts: [PlacedPart]) -> NetworkBody {
    // The network is a group itself.
    parts.gains.forEach(addGain)
    let stemCount = 1 + parts.layers.dropFirst().prefix { $0.part.isPool }.count
    var (convolution, pools): ((any ConvolutionLayer)?, [AveragePool]) = (nil, [])
    var sections: [[any Node]] = []
    var place = Place(specification.input, .frame)
    forEachLayer(of: parts) { index, part in
      if case .convolution(let layer) = part.part, index == 0 {
        convolution = self.convolution(layer, part.path, &place)
      } else if index < stemCount {
        pools.append(pool(part, &place))
      } else {
        if sections.isEmpty { endSection(&sections, with: []) }
        let nodes = nodes(of: part, &place)
        if !nodes.isEmpty { endSection(&sections, with: nodes) }
      }
    }
    return NetworkBody(
      stem: Stem(convolution!, pools: pools), sections: sections,
      keepsStemOutput: keepsInput(parts.layers[stemCount]))
  }

  private func endSection(_ sections: inout [[any Node]], with nodes: [any Node]) {
    sections.append(nodes)
    endSection()
  }

  /// Whether the first of a part's layers that works on floats leaves them on the tape.
  private func keepsInput(_ part: PlacedPart) -> Bool {
    switch part.part {
    // In half the memory, it is another tensor each time.
    case .batchNorm: specification.memory == .fast
    case .convolution, .linear, .maxPool: true
    case .residual: !part.shortcut.isEmpty || keepsInput(part.branch.layers[0])
    default: false
    }
  }

  /// Calls `body` with the layers and residuals of parts, in the order of the forward pass. The learnt gains
  /// of a group come before its other parameters, as in the published models.
  private func forEachLayer(of parts: [PlacedPart], _ body: (_ index: Int, PlacedPart) -> Void) {
    var index = 0
    func visit(_ part: PlacedPart) {
      guard part.isGroup else {
        body(index, part)
        return index += 1
      }
      part.children.gains.forEach(addGain)
      part.children.forEach(visit)
    }
    parts.forEach(visit)
  }

  private func nodes(of part: PlacedPart, _ place: inout Place) -> [any Node] {
    switch part.part {
    case .convolution(let layer): return [convolution(layer, part.path, &place)]
    case .batchNorm:
      place.norm = normalization(part.path, channels: place.shape.c)
      return []
    case .neuron(let layer): return [neuron(layer, part.path, &place)]
    case .averagePool, .adaptivePool: return [pool(part, &place)]
    case .maxPool(let layer): return [maxPool(layer, part.path, &place)]
    case .dropout(let layer):
      let dropout = dropout(
        part.path, input: place.shape, probability: layer.probability ?? specification.dropout)
      guard let dropout else { return [] }
      return [dropout]
    case .linear(let layer): return [linear(layer, part.path, &place)]
    case .residual(let residual):
      return [
        residual.isOfSpikes
          ? spikeResidual(part, &place) : self.residual(residual, part, &place)
      ]
    case .sequence, .repetition: preconditionFailure("groups are visited layer by layer")
    }
  }

  private func convolution(
    _ part: ConvolutionPart, _ path: String, gain: ScaledWSConvolution2D.OutputGain? = nil,
    _ place: inout Place
  ) -> any ConvolutionLayer {
    let layer: any ConvolutionLayer
    if part.isStandardized {
      layer = ScaledWSConvolution2D(
        path, input: place.shape, outputs: part.channels, part.window, outputGain: gain,
        reads: place.input, self)
    } else {
      let fanIn = place.shape.c * part.kernel * part.kernel
      layer = Convolution2D(
        path, input: place.shape, outputs: part.channels, part.window,
        bias: part.bias.firstValues?.initialization(fanIn: fanIn), reads: place.input, self)
    }
    place = Place(layer.output, .floats)
    return add(layer)
  }

  private func neuron(
    _ part: NeuronPart, _ path: String, _ place: inout Place
  ) -> any NeuronLayer {
    let specification = part.specification(specification.neuron)
    let layer = add(
      LIFNeuron(
        path, input: place.shape, normalization: place.norm, inputScale: part.inputScale,
        amplitude: part.amplitude, specification: specification, self))
    place = Place(place.shape, .spikes)
    place.input = LayerInput(.spikes, from: layer, levels: specification.levels)
    return layer
  }

  private func pool(_ part: PlacedPart, _ place: inout Place) -> AveragePool {
    let pooling =
      switch part.part {
      case .averagePool(let layer): AveragePooling(input: place.shape, window: layer.window)
      case .adaptivePool(let layer):
        AveragePooling(input: place.shape, adaptiveHeight: layer.size, width: layer.size)
      default: preconditionFailure("the part is a pool")
      }
    let layer = add(AveragePool(part.path, pooling, self))
    let source = place.input.source
    place = Place(layer.output, .floats)
    place.input.source = source
    return layer
  }

  private func maxPool(_ part: WindowPoolPart, _ path: String, _ place: inout Place) -> MaxPool {
    let pooling = MaxPooling(input: place.shape, window: part.window)
    let layer = add(MaxPool(path, pooling, reads: place.input, self))
    place.shape = layer.output
    return layer
  }

  private func linear(_ part: LinearPart, _ path: String, _ place: inout Place) -> Linear {
    let features = place.shape.count
    let layer = add(
      Linear(
        path, input: place.shape, outputs: part.outputs.count(classes: specification.classes),
        weight: part.weight.initialization(fanIn: features),
        bias: part.bias.initialization(fanIn: features), reads: place.input, self))
    place = Place(layer.output, .floats)
    return layer
  }

  private func residual(
    _ residual: ResidualPart, _ part: PlacedPart, _ place: inout Place
  ) -> Residual {
    let gain = residual.skipInit.map {
      ScaledWSConvolution2D.OutputGain(parameter: gains[part.gain!]!, factor: $0)
    }
    var shortcutPlace = part.placeOfShortcut(place)
    // Spikes have no buffer to add a branch to; and one with a gain begins with 0.
    let base: ResidualBase = gain == nil && place.input.isSpikes ? .branch : .shortcut
    let last = part.branch.layers.count - 1
    var branch: [any Node] = []
    forEachLayer(of: part.branch) { index, part in
      if case .convolution(let layer) = part.part, index == last {
        branch.append(convolution(layer, part.path, gain: gain, &place))
      } else {
        branch += nodes(of: part, &place)
      }
    }
    var shortcut: (any ConvolutionLayer)?
    if let only = part.shortcut.first, case .convolution(let layer) = only.part {
      shortcut = convolution(layer, only.path, &shortcutPlace)
    }
    return Residual(branch: branch, shortcut: shortcut, base: base)
  }

  private func spikeResidual(_ part: PlacedPart, _ place: inout Place) -> SpikeResidual {
    var past = part.placeOfShortcut(place)
    var (branch, shortcut): ([any Node], [any Node]) = ([], [])
    forEachLayer(of: part.branch) { branch += nodes(of: $1, &place) }
    forEachLayer(of: part.shortcut) { shortcut += nodes(of: $1, &past) }
    // Nobody keeps the sum, which comes from several neurons.
    place.input = LayerInput(.spikes, levels: place.input.levels + past.input.levels)
    return SpikeResidual(branch: branch, shortcut: shortcut)
  }
}

extension PlacedPart {
  /// Where the shortcut of a residual begins: what the branch's first layer reads, that one keeps.
  fileprivate func placeOfShortcut(_ place: Place) -> Place {
    var shortcut = place
    if case .convolution = branch.layers[0].part, place.input.isSpikes {
      shortcut.input.content = .keptSpikes
    }
    return shortcut
  }
}

extension Part {
  /// Whether it is linear, so that it may belong to the stem.
  fileprivate var isPool: Bool {
    switch self {
    case .averagePool, .adaptivePool: true
    default: false
    }
  }
}
