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
  /// Spikes.
  public var spikes = 0.0
  /// Neurons times time steps.
  public var neuronSteps = 0.0
  /// Samples that were there in place of bad ones; in an epoch each bad sample counts once.
  public var replaced = 0.0
  /// Seconds that ranks waited for their batch, added up over the ranks.
  public var dataWait = 0.0
  /// Of the inputs of convolutions, in the order of the forward pass; nil where they were not counted.
  public var inputs: [InputActivity]?

  /// How many of a convolution's inputs were spikes; dense inputs have none and could have had none.
  public struct InputActivity: Sendable, Codable, Equatable {
    /// Spikes.
    public var spikes = 0.0
    /// Elements that could have been spikes.
    public var sites = 0.0
  }

  /// Nothing measured, of no convolutions.
  public init() {}

  /// Nothing measured yet of so many convolutions.
  init(convolutions: Int) {
    inputs = [InputActivity](repeating: InputActivity(), count: convolutions)
  }

  /// Share of the samples classified correctly.
  public var accuracy: Double { samples > 0 ? correct / samples : 0 }
  /// Share of the samples whose label is among the five greatest sums.
  public var top5: Double { samples > 0 ? correctTop5 / samples : 0 }
  /// Spikes for each neuron and time step.
  public var firingRate: Double { neuronSteps > 0 ? spikes / neuronSteps : 0 }

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
    guard let others = other.inputs else { return }
    var sums = inputs ?? [InputActivity](repeating: InputActivity(), count: others.count)
    for (index, activity) in others.enumerated() {
      sums[index].spikes += activity.spikes
      sums[index].sites += activity.sites
    }
    inputs = sums
  }

  /// Adds what another part of the same batch measured; its loss is that part's share of the mean.
  mutating func accumulate(_ part: IterationMetrics) {
    let loss = loss + part.loss
    add(part)
    self.loss = loss
  }

  private static let fields: [WritableKeyPath<IterationMetrics, Double> & Sendable] = [
    \.loss, \.samples, \.correct, \.correctTop5, \.spikes, \.neuronSteps, \.replaced,
    \.dataWait,
  ]

  /// Numbers of the tail, but for those of convolutions.
  static var count: Int { fields.count }
  /// Numbers of the tail for each convolution.
  static let countPerConvolution = 2

  /// - Parameter view: as long as `count` and `countPerConvolution` say for the convolutions counted.
  func write(to view: FloatView) {
    let inputs = inputs ?? []
    precondition(view.count == Self.count + Self.countPerConvolution * inputs.count)
    for (index, field) in Self.fields.enumerated() { view[index] = Float(self[keyPath: field]) }
    for (index, activity) in inputs.enumerated() {
      view[Self.count + 2 * index] = Float(activity.spikes)
      view[Self.count + 2 * index + 1] = Float(activity.sites)
    }
  }

  /// Reads what `write` wrote.
  init(from view: FloatView) {
    for (index, field) in Self.fields.enumerated() { self[keyPath: field] = Double(view[index]) }
    inputs = stride(from: Self.count, to: view.count, by: Self.countPerConvolution).map {
      InputActivity(spikes: Double(view[$0]), sites: Double(view[$0 + 1]))
    }
  }

  /// Shares of the inputs that are spikes, by the names of the convolutions' layers, where they are.
  func inputDensities(of network: SpikingNetwork) -> [String: Double] {
    let measured = zip(network.convolutions, inputs ?? []).filter { $1.sites > 0 }
    return Dictionary(
      uniqueKeysWithValues: measured.map { ($0.layer, $1.spikes / $1.sites) })
  }
}
