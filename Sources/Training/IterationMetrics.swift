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

  public init() {}

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

  /// Numbers of the tail.
  static var count: Int { fields.count }

  func write(to view: FloatView) {
    for (index, field) in Self.fields.enumerated() { view[index] = Float(self[keyPath: field]) }
  }

  init(from view: FloatView) {
    for (index, field) in Self.fields.enumerated() { self[keyPath: field] = Double(view[index]) }
  }
}
