import Tensors

/// A spiking network: its parameters, its layers, and the two passes of a time step.
public final class SpikingNetwork {
  /// Its layers.
  public let plan: NetworkPlan
  /// Parameters, gradients and running statistics.
  public let store: ParameterStore
  private let profile: StepProfile?
  /// Sections whose gradients are not final yet.
  private var openSections: Int

  /// Is told of each range of the gradients that has become final, from the start of the buffer to its end.
  public var onFinishedGradients: ((Range<Int>) -> Void)?

  /// A network with freshly drawn parameters, equal for equal seeds.
  ///
  /// - Parameters:
  ///   - tailCount: how many numbers the trainer sends along with the gradients.
  ///   - profile: where layers are to note the time that they take.
  /// - Throws: `NetworkError` where the specification makes no sense, or the machine has too little memory.
  public init(
    _ specification: NetworkSpecification, backend: ConvolutionBackend = .init(), seed: UInt64,
    arena: Arena = Arena(), tailCount: (NetworkPlan) -> Int = { _ in 0 },
    profile: StepProfile? = nil
  ) throws(NetworkError) {
    plan = try NetworkPlan(specification, backend: backend, arena: arena, profile: profile)
    try plan.requireMemory()
    self.profile = profile
    openSections = plan.sections.count
    store = ParameterStore(
      parameters: plan.parameters, statistics: plan.statistics, seed: seed,
      tailCount: tailCount(plan))
    weightsDidChange()
  }

  /// What it was made from.
  public var specification: NetworkSpecification { plan.specification }
  /// In the order of the forward pass.
  public var layers: [any Layer] { plan.layers }
  /// In the order of the forward pass.
  public var convolutions: [ObservedConvolution] { plan.convolutions }
  /// Why the network computes in another precision than specified, and in which; `nil` if it does not.
  public var precisionProblem: String? { plan.precisionProblem }
  /// Where activations live.
  public var arena: Arena { plan.arena }
  var neurons: [any NeuronLayer] { plan.neurons }
  private var body: NetworkBody { plan.body }
  /// In the order of the forward pass; the stem's first.
  private var sections: [NetworkSection] { plan.sections }

  /// Says that the parameters have new values. Must be called before the next time step.
  public func weightsDidChange() {
    for layer in layers { layer.weightsDidChange() }
  }

  /// Starts a sequence of time steps, with membrane potentials at rest.
  public func beginSequence(_ context: IterationContext) {
    for layer in layers { layer.beginSequence(context) }
    for convolution in convolutions { convolution.beginSequence() }
  }

  /// What comes before the first neurons, for a frame [N, H, W, C]. A frame that is shown at several
  /// time steps needs it only once.
  public func stem(_ frame: borrowing Tensor) -> SharedTensor {
    precondition(frame.shape == specification.input.withSamples(frame.shape.n))
    let start = profile?.beginStem()
    defer { if let start { profile?.endStem(since: start) } }
    return SharedTensor(body.stem.forward(frame, in: arena))
  }

  /// The forward pass of one time step: logits [N, 1, 1, classes] from the stem's output, which are the
  /// caller's alone. A stem's output that nobody else holds is overwritten where that saves memory.
  public func forward(_ stem: consuming SharedTensor, saving tape: inout Tape) -> SharedTensor {
    tape.beginStep()
    var x = Signal.floats(consume stem)
    for nodes in body.sections {
      for node in nodes { x = node.forward(x, &tape) }
    }
    var logits = x.floats()
    SharedTensor.makeUnique(&logits, in: arena)
    return logits
  }

  /// The backward pass of the latest recorded time step that had none: adds to the gradients of all but the
  /// stem's parameters.
  ///
  /// - Parameters:
  ///   - gradient: dL/dlogits of that time step.
  ///   - isLast: whether no other backward pass follows before `completeGradients`, so that gradients are
  ///     final as soon as they are computed.
  /// - Returns: the gradient of the stem's output.
  public func backward(
    _ gradient: consuming SharedTensor, from tape: inout Tape, isLast: Bool = false
  ) -> SharedTensor {
    var g = Gradient(gradient)
    for (section, nodes) in body.sections.enumerated().reversed() {
      for node in nodes.reversed() { g = node.backward(g, &tape) }
      // The first one ends with the stem.
      if isLast && section > 0 { finishSection() }
    }
    g.settle(in: arena)
    tape.endStep()
    return g.value
  }

  /// Adds to the gradients of the stem's parameters.
  ///
  /// - Parameters:
  ///   - gradient: of the stem's output for `frame`, summed over the time steps that showed it.
  ///   - isLast: as that of `backward`.
  public func backwardStem(
    _ gradient: borrowing Tensor, frame: borrowing Tensor, isLast: Bool = false
  ) {
    let start = profile?.beginStem()
    body.stem.backward(gradient, frame: frame, in: arena)
    if let start { profile?.endStem(since: start) }
    if isLast { finishSection() }
  }

  /// Ends the sequences that belong together: from now on `store.gradients` holds the gradients of all
  /// their time steps.
  public func completeGradients() {
    while openSections > 0 { finishSection() }
    openSections = sections.count
  }

  /// Completes the gradients of the last section that is open.
  private func finishSection() {
    openSections -= 1
    let section = sections[openSections]
    let start = ContinuousClock.now
    for layer in layers[section.layers] { layer.completeGradients() }
    profile?.add(.update, since: start)
    guard !section.parameters.isEmpty else { return }
    onFinishedGradients?(store.range(of: section.parameters))
  }

  /// Names of the classifier's parameters, which belong to the classes of the data.
  public var head: [String] {
    (layers.last { $0 is Linear } as? Linear).map { [$0.weight.name, $0.bias.name] } ?? []
  }

  /// Spikes and neurons times time steps of the sequence so far.
  public var activity: (spikes: Int, neuronSteps: Int) {
    neurons.reduce((0, 0)) { ($0.0 + $1.spikeCount, $0.1 + $1.neuronSteps) }
  }

  /// Spikes for each neuron and time step of the sequence so far, by neuron layer in the order of the
  /// forward pass.
  public var firingRates: [Double] {
    neurons.map { Double($0.spikeCount) / Double(max(1, $0.neuronSteps)) }
  }

  /// Spikes that each layer with weights has read in the sequence so far, in the order of the forward pass.
  public var spikeInputs: [SpikeInput] { plan.weighted.map(\.spikeInput) }

  /// Membrane potentials at which neurons fire, by neuron layer in the order of the forward pass. Those of
  /// the specification, until somebody sets others.
  public var thresholds: [Float] {
    get { neurons.map(\.threshold) }
    set {
      precondition(newValue.count == neurons.count)
      for (neuron, threshold) in zip(neurons, newValue) { neuron.threshold = threshold }
    }
  }
}
