import Tensors

/// A network's nodes.
struct NetworkBody {
  let stem: Stem
  /// By section. The first one's are what follows the stem in its section.
  let sections: [[any Node]]
}

/// A signal where a part is to be added.
private struct Place {
  /// Of one sample.
  var shape: Shape
  var content: LayerInput
}

extension NetworkBuilder {
  /// Makes the layers of parts of which each is a section; the first begins with a convolution.
  func body(of parts: [Part]) -> NetworkBody {
    var place = Place(shape: specification.input, content: .frame)
    addGains(of: parts[0])
    var (first, stemParts) = (parts[0].flattened, 1)
    while stemParts < first.count, case .averagePool = first[stemParts] { stemParts += 1 }
    let stem = makeStem(Array(first[..<stemParts]), &place)
    first.removeFirst(stemParts)
    var sections = [first.flatMap { nodes(of: $0, &place) }]
    endSection()
    for part in parts.dropFirst() {
      addGains(of: part)
      sections.append(nodes(of: part, &place))
      endSection()
    }
    return NetworkBody(stem: stem, sections: sections)
  }

  /// The learnt gains of a section come before its other parameters, as in the published models.
  private func addGains(of part: Part) {
    switch part {
    case .sequence(let parts): parts.forEach(addGains)
    case .residual(let residual):
      if let gain = residual.gain { addGain(gain.name) }
      residual.branch.forEach(addGains)
    default: break
    }
  }

  private func makeStem(_ parts: [Part], _ place: inout Place) -> Stem {
    guard case .convolution(let part) = parts[0] else {
      preconditionFailure("the first part is a convolution")
    }
    let convolution = convolution(part, &place)
    return Stem(convolution, pools: parts.dropFirst().map { makePool($0, &place) })
  }

  private func nodes(of part: Part, _ place: inout Place) -> [any Node] {
    switch part {
    case .convolution(let part): return [convolution(part, &place)]
    case .neuron(let part): return [neuron(part, &place)]
    case .averagePool: return [makePool(part, &place)]
    case .dropout(let name):
      guard let dropout = dropout(name, input: place.shape) else { return [] }
      if place.content.isSpikes { place.content = .spikes }
      return [dropout]
    case .linear(let part):
      let features = place.shape.count
      let layer = add(
        Linear(
          part.name, input: place.shape, outputs: part.outputs,
          weight: part.weight.initialization(fanIn: features),
          bias: part.bias.initialization(fanIn: features), reads: place.content, self))
      place = Place(shape: layer.output, content: .floats)
      return [layer]
    case .sequence(let parts): return parts.flatMap { nodes(of: $0, &place) }
    case .residual(let part): return [residual(part, &place)]
    }
  }

  private func convolution(
    _ part: ConvolutionPart, gain: ScaledWSConvolution2D.OutputGain? = nil,
    _ place: inout Place
  ) -> any ConvolutionLayer {
    let layer: any ConvolutionLayer
    switch part.kind {
    case .plain(let bias):
      let fanIn = place.shape.c * part.window.kernel * part.window.kernel
      layer = Convolution2D(
        part.name, input: place.shape, outputs: part.outputs, part.window,
        bias: bias?.initialization(fanIn: fanIn), reads: place.content, self)
    case .standardized:
      layer = ScaledWSConvolution2D(
        part.name, input: place.shape, outputs: part.outputs, part.window,
        outputGain: gain, reads: place.content, self)
    }
    place = Place(shape: layer.output, content: .floats)
    return add(layer)
  }

  private func neuron(_ part: NeuronPart, _ place: inout Place) -> LIFNeuron {
    let norm = part.batchNorm.map { BatchNorm($0, channels: place.shape.c, self) }
    place.content = .keptSpikes
    return add(
      LIFNeuron(
        part.name, input: place.shape, normalization: norm, inputScale: part.inputScale,
        amplitude: part.amplitude, self))
  }

  private func makePool(_ part: Part, _ place: inout Place) -> AveragePool {
    guard case .averagePool(let name, let pool) = part else {
      preconditionFailure("the part is an average pool")
    }
    let pooling =
      switch pool {
      case .window(let window): AveragePooling(input: place.shape, window: window)
      case .adaptive(let height, let width):
        AveragePooling(input: place.shape, adaptiveHeight: height, width: width)
      }
    let layer = add(AveragePool(name, pooling, self))
    place = Place(shape: layer.output, content: .floats)
    return layer
  }

  private func residual(_ part: ResidualPart, _ place: inout Place) -> Residual {
    let gain = part.gain.map {
      ScaledWSConvolution2D.OutputGain(parameter: gains[$0.name]!, factor: $0.factor)
    }
    guard case .convolution(let end)? = part.branch.last else {
      preconditionFailure("a branch ends in a convolution")
    }
    var shortcutPlace = place
    var branch = part.branch.dropLast().flatMap { nodes(of: $0, &place) }
    branch.append(convolution(end, gain: gain, &place))
    let shortcut = part.shortcut.map { convolution($0, &shortcutPlace) }
    return Residual(branch: branch, shortcut: shortcut, base: part.base)
  }
}

extension Part {
  /// The parts of a sequence, itself without sequences.
  fileprivate var flattened: [Part] {
    guard case .sequence(let parts) = self else { return [self] }
    return parts.flatMap(\.flattened)
  }
}
