import SpikingNetworks
import Tensors

extension Configuration {
  /// The network's parts, and what people call it.
  package var network: (parts: [Part], title: String) {
    get throws(ConfigurationError) {
      if let layers = model.layers { return (layers.parts, "own network") }
      guard let family = model.architecture?.family ?? model.family,
        let blocks = model.architecture?.blocks ?? model.blocks, let width = model.width
      else {
        throw error("model.family", "and model.blocks are needed where no architecture is given")
      }
      if let problem = NetworkFamily.problem(blocks: blocks, width: width) {
        throw error(problem)
      }
      let title = "\(family.rawValue) \(blocks), width \(width)"
      guard family.hasStems else { return (family.parts(blocks: blocks, width: width), title) }
      let stem = model.stem ?? (data.imageSize <= 64 ? .cifar : .imagenet)
      return (
        family.parts(blocks: blocks, width: width, stem: stem), "\(title), \(stem.rawValue) stem"
      )
    }
  }

  /// The most spikes that an element of a layer's input can be at a time step.
  package var mostSpikes: Int {
    get throws(ConfigurationError) {
      let parts = try network.parts
      guard !parts.haveSumsOfSpikes else { return MembraneDynamics.mostLevels }
      return parts.neurons(neuron.specification).map(\.levels).max() ?? 1
    }
  }

  /// The same with the network written layer by layer.
  package func withLayers() throws(ConfigurationError) -> Configuration {
    var changed = self
    changed.model.layers = LayerList(try network.parts)
    changed.dropAlternatives(to: ["model.layers"])
    return changed
  }

  /// An error about the key that a network's problem comes from.
  package func error(
    _ problem: NetworkError, _ specification: NetworkSpecification? = nil
  ) -> ConfigurationError {
    if case .setting(let key) = problem.cause { return error(key, problem.problem) }
    let smallest =
      problem.cause == .imageTooSmall
      ? specification?.smallestImage.map { "; it needs at least \($0)" } ?? "" : ""
    if let layers = model.layers {
      return error(layers, problem, smallest.isEmpty ? "" : smallest + " as data.image_size")
    }
    switch problem.cause {
    case .imageTooSmall:
      return error(
        "data.image_size",
        "\(data.imageSize) is too small for this network: \(problem)\(smallest)")
    case .imageTooLarge:
      return error(
        "data.image_size",
        "\(data.imageSize) is too large for this network: \(problem): lower it, or model.width or"
          + " model.input_channels")
    case .tooFewChannels:
      return error("model.width", "\(model.width!) is too small for this network: \(problem)")
    case .tooManyWeights:
      return error(
        "model.width",
        "\(model.width!) is too large for this network: \(problem): lower it, or take fewer stages"
          + " or blocks")
    case .setting, .composition, .memory:
      return error("model.family", "makes no network: \(problem)")
    }
  }

  /// An error about one of the layers that are written, at its line.
  private func error(
    _ layers: LayerList, _ problem: NetworkError, _ remedy: String
  ) -> ConfigurationError {
    let key = "model.layers"
    let line = problem.layer.flatMap { layer in
      layers.lines.indices.contains(layer.number) ? layers.lines[layer.number] : nil
    }
    return ConfigurationError(
      key: key, origin: origins[key]?.at(line: line),
      problem: .impossible("make no network: \(problem)\(remedy)"))
  }
}
