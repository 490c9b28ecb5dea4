import SpikingNetworks
import Tensors

/// What the ranks measure in an iteration. It travels in the tail of the gradients' all-reduce, so that
/// the sums over all ranks cost no collective of their own.
public struct IterationMetrics: Sendable, Codable, Equatable {
  /// Loss, averaged over the samples and summed over the trained time steps.
  public var loss = 0.0
  /// Samples.
  public var samples = 0.0
  /// Samples classified correctly by the sum of the logits over the time steps.
  public var correct = 0.0
  /// Samples whose label is among the five greatest sums.
  public var correctTop5 = 0.0
  /// Spikes of all layers.
  public var spikes = 0.0
  /// Neurons times time steps.
  public var neuronSteps = 0.0
  /// Samples that were there in place of bad ones; in an epoch each bad sample counts once.
  public var replaced = 0.0
  /// Seconds that ranks waited for their batch, added up over the ranks.
  public var dataWait = 0.0
  /// Of the inputs of convolutions, in the order of the forward pass; nil where they were not counted.
  public var inputs: [InputActivity]?
  /// Spikes by layer and time step; nil where they were not counted.
  public private(set) var firing: FiringStatistics?
  /// Spikes that layers with weights have read, in the order of the forward pass; nil where they were not
  /// counted.
  public var spikeInputs: [SpikeInput]?

  /// How many of a convolution's inputs were spikes; dense inputs have none and could have had none.
  public struct InputActivity: Sendable, Codable, Equatable {
    /// Spikes.
    public var spikes = 0.0
    /// Elements that could have been spikes.
    public var sites = 0.0
  }

  /// Nothing measured, of no convolutions.
  public init() {}

  /// Nothing measured yet of a network.
  init(of network: NetworkPlan, timesteps: Int) {
    inputs = [InputActivity](repeating: InputActivity(), count: network.convolutions.count)
    spikeInputs = [SpikeInput](repeating: SpikeInput(), count: network.weightedLayers.count)
    enter(FiringStatistics(of: network, timesteps: timesteps))
  }

  /// Share of the samples classified correctly.
  public var accuracy: Double { samples > 0 ? correct / samples : 0 }
  /// Share of the samples whose label is among the five greatest sums.
  public var top5: Double { samples > 0 ? correctTop5 / samples : 0 }
  /// Spikes for each neuron and time step.
  public var firingRate: Double { neuronSteps > 0 ? spikes / neuronSteps : 0 }

  /// Enters how often neurons fired.
  mutating func enter(_ firing: FiringStatistics) {
    self.firing = firing
    (spikes, neuronSteps) = (Double(firing.spikes), Double(firing.neuronSteps))
  }

  /// Enters which neurons fired at all, by layer.
  mutating func enter(fired: [FiredNeurons]) { firing?.enter(fired: fired) }

  /// Adds what another batch measured; `loss` stays a mean over the samples.
  public mutating func add(_ other: IterationMetrics) {
    let total = samples + other.samples
    if total > 0 { loss = (loss * samples + other.loss * other.samples) / total }
    samples = total
    correct += other.correct
    correctTop5 += other.correctTop5
    spikes += other.spikes
    neuronSteps += other.neuronSteps
    replaced += other.replaced
    dataWait += other.dataWait
    if let others = other.firing {
      // Where a run was resumed, its checkpoint may know totals only, or layers of another size.
      if firing?.isOfSameLayers(as: others) == true { firing!.add(others) } else { firing = others }
    }
    if let others = other.spikeInputs {
      // As for them.
      if spikeInputs?.count == others.count {
        for (index, input) in others.enumerated() { spikeInputs![index] += input }
      } else {
        spikeInputs = others
      }
    }
    guard let others = other.inputs else { return }
    guard inputs?.count == others.count else { return inputs = others }
    for (index, activity) in others.enumerated() {
      inputs![index].spikes += activity.spikes
      inputs![index].sites += activity.sites
    }
  }

  /// Adds what another part of the same batch measured; its loss is that part's share of the mean.
  mutating func accumulate(_ part: IterationMetrics) {
    let loss = loss + part.loss
    add(part)
    self.loss = loss
  }

  private static let fields: [WritableKeyPath<IterationMetrics, Double> & Sendable] = [
    \.loss, \.samples, \.correct, \.correctTop5, \.replaced, \.dataWait,
  ]

  /// Numbers that `write` writes.
  var numberCount: Int {
    Self.fields.count + 2 * (inputs?.count ?? 0)
      + ExactCount.floats * (2 * (spikeInputs?.count ?? 0) + (firing?.counts.count ?? 0))
  }

  /// Writes what can be added up over the ranks.
  ///
  /// - Parameter view: as long as `numberCount` says.
  func write(to view: FloatView) {
    precondition(view.count == numberCount)
    var rest = view
    for field in Self.fields { rest.take(1)[0] = Float(self[keyPath: field]) }
    for activity in inputs ?? [] {
      let numbers = rest.take(2)
      (numbers[0], numbers[1]) = (Float(activity.spikes), Float(activity.sites))
    }
    for input in spikeInputs ?? [] {
      ExactCount.write(input.spikes, to: rest.take(ExactCount.floats))
      ExactCount.write(input.elements, to: rest.take(ExactCount.floats))
    }
    for count in firing?.counts ?? [] { ExactCount.write(count, to: rest.take(ExactCount.floats)) }
  }

  /// Reads what `write` has written of the same network.
  mutating func read(from view: FloatView) {
    precondition(view.count == numberCount)
    var rest = view
    for field in Self.fields { self[keyPath: field] = Double(rest.take(1)[0]) }
    inputs = inputs?.map { _ in
      let numbers = rest.take(2)
      return InputActivity(spikes: Double(numbers[0]), sites: Double(numbers[1]))
    }
    spikeInputs = spikeInputs?.map { _ in
      SpikeInput(
        spikes: ExactCount.read(from: rest.take(ExactCount.floats)),
        elements: ExactCount.read(from: rest.take(ExactCount.floats)))
    }
    guard var firing else { return }
    firing.counts = firing.counts.map { _ in ExactCount.read(from: rest.take(ExactCount.floats)) }
    enter(firing)
  }

  /// Spikes for each element of the inputs of layers that read spikes, and time step.
  func inputRates(of network: NetworkPlan) -> [InputRate] {
    zip(network.weightedLayers, spikeInputs ?? []).compactMap { layer, input in
      input.rate.map { InputRate(layer: layer.name, rate: $0) }
    }
  }

  /// Shares of the inputs that are spikes, by the names of the convolutions' layers, where they are.
  func inputDensities(of network: SpikingNetwork) -> [String: Double] {
    let measured = zip(network.convolutions, inputs ?? []).filter { $1.sites > 0 }
    return Dictionary(
      uniqueKeysWithValues: measured.map { ($0.layer, $1.spikes / $1.sites) })
  }
}

extension FiringStatistics {
  /// All that is counted at time steps, which are as many in all of it.
  fileprivate var counts: [Int] {
    get { samples + layers.flatMap(\.spikes) }
    set {
      let timesteps = samples.count
      samples = Array(newValue[..<timesteps])
      for index in layers.indices {
        let start = (index + 1) * timesteps
        layers[index].spikes = Array(newValue[start..<start + timesteps])
      }
    }
  }
}

extension FloatView {
  /// Cuts off the first elements and returns them.
  fileprivate mutating func take(_ count: Int) -> FloatView {
    defer { self = self[count..<self.count] }
    return self[0..<count]
  }
}
