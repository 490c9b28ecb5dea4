import Tensors

/// Where the time of iterations goes, by phase and by layer. Layers add to it while they work; a network
/// that nobody measures has none.
public final class StepProfile {
  /// The kinds of work in an iteration.
  public enum Phase: String, CaseIterable, Sendable, Codable {
    /// What comes before the first neurons, forward and backward.
    case stem
    /// Convolutions, forward.
    case forward
    /// Convolutions, the gradient of their input.
    case backwardInput = "backward input"
    /// Convolutions, the gradient of their weights.
    case backwardWeights = "backward weights"
    /// Neurons, forward and backward.
    case neuron
    /// Batch norm's statistics, and its backward pass.
    case norm
    /// Dropout, but for the gradients that neurons take through it.
    case dropout
    /// Average pooling, forward and backward.
    case pooling
    /// The fully connected layer, forward and backward.
    case classifier
    /// The all-reduce, with the wait for slower ranks.
    case reduce
    /// The optimizer, and weights standardised anew with their gradients.
    case update
    /// Waiting for the batch.
    case dataWait = "data wait"

    init(_ pass: ConvolutionPass) {
      self =
        switch pass {
        case .forward: .forward
        case .backwardInput: .backwardInput
        case .backwardWeights: .backwardWeights
        }
    }
  }

  /// Work of one kind.
  public struct Usage: Sendable {
    public var seconds = 0.0
    /// Floating-point operations as a dense convolution has them, whether events saved some or not.
    public var operations = 0

    public init() {}
  }

  /// What was measured of a layer.
  public struct LayerUsage: Sendable {
    public var phases: [Phase: Usage] = [:]
    /// How often each kernel ran.
    public var kernels: [ConvolutionPass: [ConvolutionKernel: Int]] = [:]
    /// Share of the input's elements that are spikes, on average over the passes that read it; nil where
    /// it is not spikes.
    public var density: Double? { densities.count == 0 ? nil : densities.sum / densities.count }
    fileprivate var densities = (sum: 0.0, count: 0.0)
  }

  /// In all.
  public private(set) var phases: [Phase: Usage] = [:]
  /// By the layer's name.
  public private(set) var layers: [String: LayerUsage] = [:]
  private var isInStem = false

  public init() {}

  /// Forgets what was measured.
  public func reset() {
    phases = [:]
    layers = [:]
  }

  /// Adds work that belongs to no layer.
  public func add(_ phase: Phase, seconds: Double) {
    phases[phase, default: Usage()].seconds += seconds
  }

  /// Adds work that belongs to no layer and has just ended.
  public func add(_ phase: Phase, since start: ContinuousClock.Instant) {
    add(phase, seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  /// Adds work of a layer that has just ended. Within the stem it counts as the stem's.
  func add(
    _ phase: Phase, of layer: String, since start: ContinuousClock.Instant, operations: Int = 0
  ) {
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let phase = isInStem ? .stem : phase
    layers[layer, default: LayerUsage()].phases[phase, default: Usage()].seconds += seconds
    layers[layer]!.phases[phase]!.operations += operations
    phases[phase, default: Usage()].operations += operations
    // The stem is measured as a whole, with what lies between its layers.
    if !isInStem { phases[phase]!.seconds += seconds }
  }

  /// Adds to what is known of how a layer's passes were computed.
  ///
  /// - Parameter density: of the input, where the pass reads spikes.
  func add(
    _ pass: ConvolutionPass, of layer: String, by kernel: ConvolutionKernel, density: Double?
  ) {
    layers[layer, default: LayerUsage()].kernels[pass, default: [:]][kernel, default: 0] += 1
    guard let density else { return }
    layers[layer]!.densities.sum += density
    layers[layer]!.densities.count += 1
  }

  /// The stem begins its work.
  func beginStem() -> ContinuousClock.Instant {
    isInStem = true
    return ContinuousClock.now
  }

  /// The stem's work ends.
  func endStem(since start: ContinuousClock.Instant) {
    isInStem = false
    add(.stem, since: start)
  }
}
