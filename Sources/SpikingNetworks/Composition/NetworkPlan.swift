import Foundation
import Tensors

/// A network's layers and parameters before these have memory and values: enough to tell what the
/// network costs.
public final class NetworkPlan {
  /// What it was made from.
  public let specification: NetworkSpecification
  /// In the order of the forward pass.
  public let layers: [any Layer]
  /// In the order of the forward pass.
  public let convolutions: [ObservedConvolution]
  /// In the order of the forward pass.
  let neurons: [any NeuronLayer]
  /// In the order of the forward pass.
  let weighted: [any WeightedLayer]
  /// Why the network will compute in another precision than specified, and in which; `nil` if it will not.
  public let precisionProblem: String?
  /// Where activations will live.
  public let arena: Arena
  let body: NetworkBody
  let sections: [NetworkSection]
  /// In the order of the forward pass.
  let parameters: [Parameter]
  let statistics: [Parameter]
  let onlineNorms: [OnlineNorm]

  /// - Parameter profile: where layers are to note the time that they take.
  /// - Throws: `NetworkError` where the specification makes no sense.
  public init(
    _ specification: NetworkSpecification, backend: ConvolutionBackend = .init(),
    arena: Arena = Arena(), profile: StepProfile? = nil
  ) throws(NetworkError) {
    if let problem = specification.problem { throw problem }
    let builder = NetworkBuilder(
      specification, backend: backend, arena: arena, profile: profile)
    body = builder.body(of: [PlacedPart](specification.parts))
    self.specification = specification
    self.arena = arena
    layers = builder.layers
    convolutions = builder.convolutions
    neurons = layers.compactMap { $0 as? any NeuronLayer }
    weighted = layers.compactMap { $0 as? any WeightedLayer }
    precisionProblem = builder.backend.precisionProblem
    sections = builder.sections
    parameters = builder.parameters
    statistics = builder.statistics
    onlineNorms = builder.onlineNorms
  }

  /// The layers with weights, in the order of the forward pass.
  public private(set) lazy var weightedLayers: [LayerSummary] = weighted.map(\.summary)
  /// What the stem gives for one sample, which has no state and no time steps.
  public var stemOutput: Shape { body.stem.output }
  /// Whether that is on the tape, the same at each time step that shows the same frame.
  public var keepsStemOutput: Bool { body.keepsStemOutput }
  /// Elements of all parameters.
  public var weightCount: Int { parameters.reduce(0) { $0 + $1.count } }
  /// Elements of all running statistics.
  public var statisticCount: Int { statistics.reduce(0) { $0 + $1.count } }
  /// Elements of the largest parameter.
  public var largestParameter: Int { parameters.map(\.count).max() ?? 0 }

  /// - Throws: `NetworkError` where weights and their gradients exceed the machine's memory.
  func requireMemory() throws(NetworkError) {
    let (needed, memory) = (8 * weightCount, Int(ProcessInfo.processInfo.physicalMemory))
    guard needed > memory else { return }
    throw NetworkError(
      .memory,
      "has \(weightCount) weights, which take \(needed >> 20) MiB with their gradients, but this"
        + " machine has \(memory >> 20) MiB of memory: take fewer channels or layers")
  }
}
