import Tensors

/// Consecutive layers whose gradients the backward pass has computed when it leaves them.
struct NetworkSection {
  /// In the order of the forward pass, as the parameters are.
  let layers: Range<Int>
  let parameters: Range<Int>
}

/// Collects parameters and layers while a network is put together, in the order of the forward pass.
final class NetworkBuilder {
  let arena: Arena
  let backend: ConvolutionBackend
  let specification: NetworkSpecification
  /// Where layers are to note the time that they take.
  let profile: StepProfile?
  private(set) var parameters: [Parameter] = []
  private(set) var statistics: [Parameter] = []
  private(set) var layers: [any Layer] = []
  private(set) var sections: [NetworkSection] = []
  private(set) var convolutions: [ObservedConvolution] = []
  private(set) var onlineNorms: [OnlineNorm] = []

  init(
    _ specification: NetworkSpecification, backend: ConvolutionBackend, arena: Arena,
    profile: StepProfile? = nil
  ) {
    self.specification = specification
    self.profile = profile
    var backend = backend
    backend.precision = specification.precision
    backend.memory = specification.memory
    self.backend = backend
    self.arena = arena
  }

  func parameter(
    _ name: String, _ shape: [Int], layout: ParameterLayout = .asPublished,
    _ initialization: Initialization
  ) -> Parameter {
    let parameter = Parameter(name, shape: shape, layout: layout, initialization)
    parameters.append(parameter)
    return parameter
  }

  func statistic(
    _ name: String, count: Int, _ initialization: Initialization, atLeast minimum: Float? = nil
  ) -> Parameter {
    let statistic = Parameter(name, shape: [count], initialization, minimum: minimum)
    statistics.append(statistic)
    return statistic
  }

  /// Registers a layer and gives it back.
  func add<L: Layer>(_ layer: L) -> L {
    layers.append(layer)
    return layer
  }

  /// Ends a section of the network: what was registered since the end of the one before. The first one is
  /// the stem's.
  func endSection() {
    let start = sections.last
    sections.append(
      NetworkSection(
        layers: (start?.layers.upperBound ?? 0)..<layers.count,
        parameters: (start?.parameters.upperBound ?? 0)..<parameters.count))
  }

  /// A normalisation as the network's specification wants it.
  func normalization(_ name: String, channels: Int) -> any Normalization {
    guard specification.normalization == .online else {
      return BatchNorm(name, channels: channels, self)
    }
    let norm = OnlineNorm(name, channels: channels, self)
    onlineNorms.append(norm)
    return norm
  }

  /// Registers a layer's convolution and gives it back.
  func add(_ convolution: ObservedConvolution) -> ObservedConvolution {
    convolutions.append(convolution)
    return convolution
  }

  /// Whether convolutions want the gradients that neurons hand them in bfloat16.
  var roundsGradients: Bool { backend.effectivePrecision == .mixed }

  /// The learnt gains of residuals by their names.
  private(set) var gains: [String: Parameter] = [:]

  func addGain(_ name: String) { gains[name] = parameter(name, [], .constant(0)) }

  private var dropouts = 0

  /// A dropout layer, or none where nothing is dropped.
  func dropout(_ name: String, input: Shape, probability: Float) -> Dropout? {
    guard probability > 0 else { return nil }
    dropouts += 1
    return add(
      Dropout(name, number: dropouts, input: input, probability: probability, profile: profile))
  }
}
