import Tensors

/// A family's way through its layers, for one time step.
protocol NetworkBody: AnyObject {
  /// Logits [N, 1, 1, classes] from a frame [N, H, W, C].
  func forward(_ frame: borrowing Tensor, _ tape: inout Tape) -> Tensor

  /// Adds to the parameters' gradients, from the gradient of the logits and the step's frame.
  func backward(_ gradient: consuming Tensor, frame: borrowing Tensor, _ tape: inout Tape)
}

/// A spiking network: its parameters, its layers, and the two passes of a time step.
public final class SpikingNetwork {
  /// What it was made from.
  public let specification: NetworkSpecification
  /// Parameters, gradients and running statistics.
  public let store: ParameterStore
  /// In the order of the forward pass.
  public let layers: [any Layer]
  /// Where activations live.
  public let arena: Arena
  private let body: any NetworkBody
  private let neurons: [LIFNeuron]

  /// A network with freshly drawn parameters, equal for equal seeds.
  ///
  /// - Parameter tailCount: numbers that the trainer sends along with the gradients.
  /// - Throws: `NetworkError` where the specification makes no sense.
  public init(
    _ specification: NetworkSpecification, backend: ConvolutionBackend = .init(), seed: UInt64,
    arena: Arena = Arena(), tailCount: Int = 0
  ) throws(NetworkError) {
    if let problem = specification.problem { throw NetworkError(description: problem) }
    let builder = NetworkBuilder(specification, backend: backend, arena: arena)
    body =
      switch specification.family {
      case .resNet: PreActivationResNet(builder)
      case .nfResNet: NormalizerFreeResNet(builder, isBottleneck: false)
      case .nfResNetBottleneck: NormalizerFreeResNet(builder, isBottleneck: true)
      case .vgg: VGG(builder)
      }
    self.specification = specification
    self.arena = arena
    layers = builder.layers
    neurons = layers.compactMap { $0 as? LIFNeuron }
    store = ParameterStore(
      parameters: builder.parameters, statistics: builder.statistics, seed: seed,
      tailCount: tailCount)
    weightsDidChange()
  }

  /// Says that the parameters have new values. Must be called before the next step.
  public func weightsDidChange() {
    for layer in layers { layer.weightsDidChange() }
  }

  /// Starts a sequence of time steps, with membrane potentials at rest.
  public func beginSequence(_ context: IterationContext) {
    for layer in layers { layer.beginSequence(context) }
  }

  /// The forward pass of one time step: logits [N, 1, 1, classes] from a frame [N, H, W, C].
  public func forward(_ frame: borrowing Tensor, saving tape: inout Tape) -> Tensor {
    precondition(frame.shape == specification.input.withSamples(frame.shape.n))
    tape.beginStep()
    return body.forward(frame, &tape)
  }

  /// The backward pass of the latest recorded step that had none: adds to the gradients.
  ///
  /// - Parameters:
  ///   - gradient: dL/dlogits of that step.
  ///   - frame: that step's frame.
  public func backward(
    _ gradient: consuming Tensor, frame: borrowing Tensor, from tape: inout Tape
  ) {
    body.backward(gradient, frame: frame, &tape)
    tape.endStep()
  }

  /// Ends a sequence: from now on `store.gradients` holds the gradients of all its steps.
  public func completeGradients() {
    for layer in layers { layer.completeGradients() }
  }

  /// Names of the classifier's parameters, which belong to the classes of the data.
  public var head: [String] {
    (layers.last { $0 is Linear } as? Linear).map { [$0.weight.name, $0.bias.name] } ?? []
  }

  /// Spikes and neurons times time steps of the sequence so far.
  public var activity: (spikes: Int, neuronSteps: Int) {
    neurons.reduce((0, 0)) { ($0.0 + $1.spikeCount, $0.1 + $1.neuronSteps) }
  }
}

/// A network that cannot be.
public struct NetworkError: Error, CustomStringConvertible {
  public let description: String
}
