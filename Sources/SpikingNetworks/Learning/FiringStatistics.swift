import Tensors

/// How often the neurons of each layer fire, by time step.
public struct FiringStatistics: Codable, Equatable, Sendable {
  /// A layer of neurons.
  public struct Layer: Codable, Equatable, Sendable {
    /// Path in the published model, such as `layer1.0.sn1`.
    public var name: String
    /// Neurons that a sample has.
    public var neurons: Int
    /// Spikes at each time step; a neuron of several levels may fire more than one.
    public var spikes: [Int]
    /// Neurons that never fired, whatever the sample; nil where that was not observed.
    public var silent: Int?

    public init(name: String, neurons: Int, spikes: [Int], silent: Int? = nil) {
      (self.name, self.neurons) = (name, neurons)
      (self.spikes, self.silent) = (spikes, silent)
    }

    /// Share of its neurons that never fired.
    public var silentShare: Double? { silent.map { Double($0) / Double(neurons) } }
  }

  /// In the order of the forward pass.
  public var layers: [Layer]
  /// Samples for which each time step ran.
  public var samples: [Int]

  public init(layers: [Layer], samples: [Int]) {
    (self.layers, self.samples) = (layers, samples)
  }

  /// Spikes of all layers and time steps.
  public var spikes: Int { layers.reduce(0) { $0 + $1.spikes.reduce(0, +) } }

  /// Neurons of all layers, times the time steps that ran for a sample, over the samples.
  public var neuronSteps: Int {
    layers.reduce(0) { $0 + $1.neurons } * samples.reduce(0, +)
  }

  /// Spikes for each neuron at each time step; 0 at those that did not run.
  public func rates(of layer: Layer) -> [Double] {
    zip(layer.spikes, samples).map { Double($0) / Double(max(1, layer.neurons * $1)) }
  }

  /// Whether both are of the same neurons.
  public func isOfSameLayers(as other: FiringStatistics) -> Bool {
    layers.elementsEqual(other.layers) { $0.name == $1.name && $0.neurons == $1.neurons }
  }

  /// Adds what other samples gave. Which neurons were silent for both is not known.
  ///
  /// - Precondition: both are of the same layers; they may have run for other time steps.
  public mutating func add(_ other: FiringStatistics) {
    precondition(isOfSameLayers(as: other))
    samples.add(other.samples)
    for index in layers.indices {
      layers[index].spikes.add(other.layers[index].spikes)
      layers[index].silent = nil
    }
  }

  /// Enters how many neurons never fired.
  ///
  /// - Parameter fired: those that did, by layer.
  public mutating func enter(fired: [FiredNeurons]) {
    for (index, fired) in fired.enumerated() {
      layers[index].silent = layers[index].neurons - fired.count
    }
  }
}

extension FiringStatistics {
  /// Nothing counted yet of a network.
  public init(of network: NetworkPlan, timesteps: Int) {
    let none = [Int](repeating: 0, count: timesteps)
    layers = network.neurons.map { Layer(name: $0.name, neurons: $0.shape.count, spikes: none) }
    samples = none
  }
}

extension SpikingNetwork {
  /// How often neurons have fired in the sequence so far.
  public var firing: FiringStatistics {
    let layers = neurons.map {
      FiringStatistics.Layer(name: $0.name, neurons: $0.shape.count, spikes: $0.spikeCounts)
    }
    guard let first = neurons.first else { return FiringStatistics(layers: [], samples: []) }
    let samples = first.neuronSteps / max(1, first.shape.count * first.spikeCounts.count)
    return FiringStatistics(
      layers: layers, samples: first.spikeCounts.map { _ in samples })
  }

  /// Observes from now on which neurons fire at all.
  public func observeFired() {
    for neuron in neurons { neuron.fired = FiredNeurons(neuron.shape) }
  }

  /// Ends that; returns which neurons have fired since then, by neuron layer in the order of the forward
  /// pass.
  public func takeFired() -> [FiredNeurons] {
    neurons.map { neuron in
      defer { neuron.fired = nil }
      return neuron.fired ?? FiredNeurons(neuron.shape)
    }
  }
}

extension [Int] {
  /// Adds element by element; what only one of the two has counts as 0 in the other.
  fileprivate mutating func add(_ other: [Int]) {
    if count < other.count { self += [Int](repeating: 0, count: other.count - count) }
    for (index, value) in other.enumerated() { self[index] += value }
  }
}
