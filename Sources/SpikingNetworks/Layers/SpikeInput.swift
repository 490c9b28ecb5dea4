import Tensors

/// How many spikes a layer with weights has read; one that reads floats has none and could have had none.
public struct SpikeInput: Codable, Equatable, Sendable {
  /// Spikes. Of neurons that fire several at a time step, and of sums of spikes, each counts.
  public var spikes: Int
  /// Elements of the inputs that were spikes, over all samples and time steps.
  public var elements: Int

  /// By default of no inputs yet.
  public init(spikes: Int = 0, elements: Int = 0) {
    (self.spikes, self.elements) = (spikes, elements)
  }

  // Inlined before another switch over the same signal, it makes the optimizer of Swift 6.3 crash.
  @inline(never)
  mutating func add(_ input: borrowing Signal) {
    switch input {
    case .spikes(let input):
      spikes += input.count
      elements += input.shape.count
    case .floats: break
    }
  }

  public static func += (sum: inout SpikeInput, other: SpikeInput) {
    sum.spikes += other.spikes
    sum.elements += other.elements
  }

  /// Spikes for each element and time step; nil where the input is not spikes.
  public var rate: Double? { elements > 0 ? Double(spikes) / Double(elements) : nil }
}
