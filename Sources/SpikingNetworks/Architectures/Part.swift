import Tensors

/// A part of a network as data: what a published family and `model.layers` of a configuration are made of.
/// `NetworkBuilder` makes layers of it.
///
/// Names and numbers give paths, as in PyTorch's modules: those of a layer's parameters begin with the names
/// of the groups around it and its own, `layer1.0.conv1.weight`. A part without a name has its number
/// in its group, from 0. A residual is no group: its parts are numbered with those around it.
public enum Part: Equatable, Sendable {
  case convolution(ConvolutionPart)
  /// Belongs to the neuron that follows.
  case batchNorm(BatchNormPart)
  case neuron(NeuronPart)
  case averagePool(WindowPoolPart)
  case maxPool(WindowPoolPart)
  case adaptivePool(AdaptivePoolPart)
  case dropout(DropoutPart)
  case linear(LinearPart)
  /// A group.
  case sequence(SequencePart)
  case repetition(RepetitionPart)
  case residual(ResidualPart)
}

/// A 2-D convolution.
public struct ConvolutionPart: Equatable, Sendable {
  /// First values of the biases.
  public enum Bias: String, CaseIterable, Sendable {
    /// There are no biases.
    case none
    case zero, uniform

    var firstValues: FirstValues? {
      switch self {
      case .none: nil
      case .zero: .zero
      case .uniform: .uniform
      }
    }
  }

  public var name: PartName?
  /// Of the output.
  public var channels: Int
  public var kernel: Int
  public var stride = 1
  /// `nil`: (kernel - 1) / 2, which keeps the image's size at stride 1 of an odd kernel.
  public var padding: Int?
  /// With scaled weight standardisation, which has biases that begin with 0.
  public var isStandardized = false
  public var bias = Bias.uniform

  public init(
    _ name: PartName? = nil, channels: Int, kernel: Int, stride: Int = 1,
    isStandardized: Bool = false, bias: Bias = .uniform
  ) {
    (self.name, self.channels, self.kernel, self.stride) = (name, channels, kernel, stride)
    (self.isStandardized, self.bias) = (isStandardized, bias)
  }

  var window: SlidingWindow {
    SlidingWindow(kernel: kernel, stride: stride, padding: padding ?? (kernel - 1) / 2)
  }
}

/// Batch normalisation.
public struct BatchNormPart: Equatable, Sendable {
  public var name: PartName?

  public init(_ name: PartName? = nil) { self.name = name }
}

/// A layer of neurons. What is `nil` is as in the network's `NeuronSpecification`.
public struct NeuronPart: Equatable, Sendable {
  public var name: PartName?
  public var kind: NeuronSpecification.Kind?
  public var tau: Float?
  public var threshold: Float?
  public var reset: Reset?
  public var levels: Int?
  public var surrogate: SurrogateGradient.Shape?
  public var surrogateWidth: Float?
  /// Multiplies the input; without batch norm.
  public var inputScale: Float
  /// The value that a spike stands for.
  public var amplitude: Float

  public init(_ name: PartName? = nil, inputScale: Float = 1, amplitude: Float = 1) {
    (self.name, self.inputScale, self.amplitude) = (name, inputScale, amplitude)
  }

  func specification(_ defaults: NeuronSpecification) -> NeuronSpecification {
    var neuron = defaults
    neuron.kind = kind ?? defaults.kind
    neuron.tau = tau ?? defaults.tau
    neuron.threshold = threshold ?? defaults.threshold
    neuron.reset = reset ?? defaults.reset
    neuron.levels = levels ?? defaults.levels
    if surrogate != nil || surrogateWidth != nil {
      neuron.surrogate = SurrogateGradient(
        surrogate ?? defaults.surrogate.shape, width: surrogateWidth)
    }
    return neuron
  }
}

/// A window that slides over the image. In averages padding counts as zeros, among the greatest values it never
/// counts.
public struct WindowPoolPart: Equatable, Sendable {
  public var name: PartName?
  public var kernel: Int
  /// `nil`: as the kernel.
  public var stride: Int?
  public var padding = 0

  public init(_ name: PartName? = nil, kernel: Int, stride: Int? = nil, padding: Int = 0) {
    (self.name, self.kernel, self.stride, self.padding) = (name, kernel, stride, padding)
  }

  var window: SlidingWindow {
    SlidingWindow(kernel: kernel, stride: stride ?? kernel, padding: padding)
  }
}

/// The averages of windows of nearly equal size, which cover the image.
public struct AdaptivePoolPart: Equatable, Sendable {
  public var name: PartName?
  /// Height and width of the output.
  public var size: Int

  public init(_ name: PartName? = nil, size: Int) { (self.name, self.size) = (name, size) }
}

/// Is left out where nothing is dropped.
public struct DropoutPart: Equatable, Sendable {
  public var name: PartName?
  /// Probability that an element is dropped; `nil`: the network's.
  public var probability: Float?

  public init(_ name: PartName? = nil) { self.name = name }
}

/// A fully connected layer.
public struct LinearPart: Equatable, Sendable {
  public enum Outputs: Equatable, Sendable {
    /// As many as there are classes.
    case classes
    case count(Int)

    func count(classes: Int) -> Int {
      switch self {
      case .classes: classes
      case .count(let count): count
      }
    }
  }

  public var name: PartName?
  public var outputs: Outputs
  public var weight: FirstValues
  public var bias: FirstValues

  public init(
    _ name: PartName? = nil, outputs: Outputs = .classes, weight: FirstValues = .uniform,
    bias: FirstValues = .uniform
  ) {
    (self.name, self.outputs, self.weight, self.bias) = (name, outputs, weight, bias)
  }
}

/// Parts one after the other.
public struct SequencePart: Equatable, Sendable {
  public var name: PartName?
  public var layers: [Part]

  public init(_ name: PartName?, _ layers: [Part]) {
    (self.name, self.layers) = (name, layers)
  }
}

/// Parts several times, one after the other, with weights of their own each time. Each time is a group
/// without a name: in the group with the repetition's name or, without one, in the group around it.
public struct RepetitionPart: Equatable, Sendable {
  public var name: PartName?
  public var times: Int
  public var layers: [Part]

  public init(_ name: PartName?, times: Int, _ layers: [Part]) {
    (self.name, self.times, self.layers) = (name, times, layers)
  }
}

/// A branch beside a shortcut, and their sum: of floats, where the branch ends in a convolution, or of spikes,
/// where it ends in neurons.
public struct ResidualPart: Equatable, Sendable {
  /// Two layers or more.
  public var branch: [Part]
  /// A convolution, or, where the sum is of spikes, layers that end in neurons; empty: the input itself.
  public var shortcut: [Part]
  /// A learnt factor of the branch, which begins with 0, times this constant (De and Smith, NeurIPS 2020);
  /// where the branch ends in a standardised convolution.
  public var skipInit: Float?

  public init(branch: [Part], shortcut: [Part] = [], skipInit: Float? = nil) {
    (self.branch, self.shortcut, self.skipInit) = (branch, shortcut, skipInit)
  }
}

/// How a parameter's first values are drawn, by the layer's own size.
public enum FirstValues: String, CaseIterable, Sendable {
  case zero
  /// Uniform between -1/sqrt(fanIn) and 1/sqrt(fanIn), PyTorch's default.
  case uniform
  /// Normal with a deviation of 0.01.
  case normal

  func initialization(fanIn: Int) -> Initialization {
    switch self {
    case .zero: .constant(0)
    case .uniform: .uniform(fanIn: fanIn)
    case .normal: .normal(deviation: 0.01)
    }
  }
}

extension Part {
  var name: PartName? {
    switch self {
    case .convolution(let part): part.name
    case .batchNorm(let part): part.name
    case .neuron(let part): part.name
    case .averagePool(let part): part.name
    case .maxPool(let part): part.name
    case .adaptivePool(let part): part.name
    case .dropout(let part): part.name
    case .linear(let part): part.name
    case .sequence(let part): part.name
    case .repetition(let part): part.name
    case .residual: nil
    }
  }
}

extension [Part] {
  /// Parts with the repetitions written out; at most a number that memory holds.
  public var expandedCount: Int {
    let most = 1 << 20
    return reduce(0) { sum, part in
      let count =
        switch part {
        case .sequence(let part): 1 + part.layers.expandedCount
        case .repetition(let part):
          1 + Swift.min(part.times, most) * Swift.max(1, part.layers.expandedCount)
        case .residual(let part): 1 + part.branch.expandedCount + part.shortcut.expandedCount
        default: 1
        }
      return Swift.min(sum + count, most)
    }
  }

  /// Whether running statistics of activations are kept.
  public var haveBatchNorm: Bool { contain { if case .batchNorm = $0 { true } else { false } } }

  /// Whether there is a dropout with the probability of the network.
  public var haveDefaultDropout: Bool {
    contain { if case .dropout(let part) = $0 { part.probability == nil } else { false } }
  }

  /// Whether spikes are added to spikes.
  public var haveSumsOfSpikes: Bool {
    contain {
      guard case .residual(let residual) = $0 else { return false }
      return residual.isOfSpikes
    }
  }

  /// What their neurons are like, given what those are like that say nothing else.
  public func neurons(_ defaults: NeuronSpecification) -> [NeuronSpecification] {
    flatMap { part -> [NeuronSpecification] in
      switch part {
      case .neuron(let part): [part.specification(defaults)]
      case .sequence(let part): part.layers.neurons(defaults)
      case .repetition(let part): part.layers.neurons(defaults)
      case .residual(let part): (part.branch + part.shortcut).neurons(defaults)
      default: []
      }
    }
  }

  /// Whether `isWanted` of a part, or of one inside.
  private func contain(_ isWanted: (Part) -> Bool) -> Bool {
    contains { part in
      guard !isWanted(part) else { return true }
      return switch part {
      case .sequence(let part): part.layers.contain(isWanted)
      case .repetition(let part): part.layers.contain(isWanted)
      case .residual(let part): part.branch.contain(isWanted) || part.shortcut.contain(isWanted)
      default: false
      }
    }
  }

  /// The last layer, in whatever groups.
  fileprivate var lastLayer: Part? {
    switch last {
    case .sequence(let part): part.layers.lastLayer
    case .repetition(let part): part.layers.lastLayer
    default: last
    }
  }
}

extension ResidualPart {
  /// Whether the sum is one of spikes.
  var isOfSpikes: Bool { if case .neuron? = branch.lastLayer { true } else { false } }
}
