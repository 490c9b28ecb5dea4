import Tensors

/// A learning rule as a value: which time steps of an iteration are recorded, when their backward passes run,
/// and what the gradient of weights takes for their input. Nothing else tells one rule from another, and no
/// layer asks for its name.
///
/// | rule | recorded | window | input of weights |
/// |---|---|---|---|
/// | SLTT | all T time steps | 1 | spikes |
/// | SLTT-K | K of T time steps | 1 | spikes |
/// | BPTT | all T time steps | T | spikes |
/// | OTTT | all T time steps | 1 | traces of spikes |
/// | rate-based | none, but averages over T | | firing rates |
///
/// From one time step to the next the membrane potential goes on. Gradients flow back through it between
/// the time steps of a window, and never from one window to another.
public struct LearningRule: Equatable, Sendable {
  private enum Recording: Equatable, Sendable {
    /// The same time steps in every iteration.
    case fixed(Set<Int>)
    /// So many time steps, drawn anew for each iteration.
    case drawn(Int, skipsTrailing: Bool)
  }

  /// What the gradient of weights takes for the input of a time step.
  enum Presynaptic: Equatable, Sendable {
    case spikes
    /// Traces of the spikes of this and earlier time steps.
    case traces
    /// Averages over all time steps, for one backward pass after them.
    case rates
  }

  /// Time steps T of the forward pass.
  public let timesteps: Int
  /// How many recorded time steps run forward before their backward passes.
  public let window: Int
  let presynaptic: Presynaptic
  private let recording: Recording

  private init(
    timesteps: Int, window: Int, _ recording: Recording, presynaptic: Presynaptic = .spikes
  ) {
    precondition(timesteps >= 1, "no time steps")
    (self.timesteps, self.window, self.recording) = (timesteps, window, recording)
    self.presynaptic = presynaptic
  }

  /// Spatial learning through time: gradients stay within their time step.
  ///
  /// - Parameter steps: the time steps to record, from 0; all where left out.
  public static func sltt(timesteps: Int, recording steps: Set<Int>? = nil) -> LearningRule {
    let steps = steps ?? Set(0..<timesteps)
    precondition(
      steps.allSatisfy { (0..<timesteps).contains($0) },
      "time steps \(steps.sorted()) of \(timesteps)")
    return LearningRule(timesteps: timesteps, window: 1, .fixed(steps))
  }

  /// SLTT that back-propagates only K random time steps in each iteration.
  ///
  /// - Parameters:
  ///   - k: time steps to record in each iteration, `1...timesteps`.
  ///   - skipsTrailing: whether an iteration ends with its last recorded time step. Gradients are the
  ///     same; accuracy and firing rate come from the time steps that ran, and running statistics of
  ///     batch norm would differ.
  public static func slttK(timesteps: Int, k: Int, skipsTrailing: Bool = false) -> LearningRule {
    precondition(k >= 1 && k <= timesteps, "k = \(k) of \(timesteps)")
    return LearningRule(timesteps: timesteps, window: 1, .drawn(k, skipsTrailing: skipsTrailing))
  }

  /// Back-propagation through time, the baseline.
  public static func bptt(timesteps: Int) -> LearningRule {
    LearningRule(timesteps: timesteps, window: timesteps, .fixed(Set(0..<timesteps)))
  }

  /// Online training through time: SLTT, but the gradient of weights that read spikes meets their trace
  /// (OTTT_A: Xiao et al., NeurIPS 2022). With one time step it is SLTT.
  public static func ottt(timesteps: Int) -> LearningRule {
    LearningRule(
      timesteps: timesteps, window: 1, .fixed(Set(0..<timesteps)), presynaptic: .traces)
  }

  /// Rate-based back-propagation: T time steps forward, then one pass forward and backward through their
  /// averages (Yu et al., NeurIPS 2024). With one time step it is SLTT but for rounding.
  public static func rate(timesteps: Int) -> LearningRule {
    LearningRule(timesteps: timesteps, window: 1, .fixed([]), presynaptic: .rates)
  }

  /// Passes of an iteration through the whole network.
  public var passes: (forward: Int, backward: Int) {
    if takesAverages { return (timesteps + 1, 1) }
    switch recording {
    case .fixed(let steps): return (timesteps, steps.count)
    case .drawn(let count, _): return (timesteps, count)
    }
  }

  /// Whether all time steps have run before the first one goes back.
  public var isThroughTime: Bool { window == timesteps }
  /// Whether layers with weights keep traces of their input.
  public var keepsTraces: Bool { presynaptic == .traces }
  /// Whether layers take averages over time, and nothing else is kept of the time steps.
  public var takesAverages: Bool { presynaptic == .rates }

  /// The time steps that run in an iteration: whether each is recorded. Steps are drawn without
  /// replacement, the same ones on all ranks.
  ///
  /// - Parameter iteration: counted over the whole run.
  public func recordedTimesteps(seed: UInt64, iteration: Int) -> [Bool] {
    switch recording {
    case .fixed(let steps): return (0..<timesteps).map(steps.contains)
    case .drawn(let count, let skipsTrailing):
      var random = RandomStream(seed: seed, purpose: .trainedTimesteps, time: iteration)
      var needed = count
      // Selection sampling: Knuth, The Art of Computer Programming, section 3.4.2, algorithm S.
      var recorded = (0..<timesteps).map { t in
        let isChosen = random.uniform(below: timesteps - t) < needed
        needed -= isChosen ? 1 : 0
        return isChosen
      }
      if skipsTrailing { recorded.removeLast(timesteps - 1 - recorded.lastIndex(of: true)!) }
      return recorded
    }
  }
}
