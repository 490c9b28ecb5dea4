/// A family of network architectures, named as in configuration files.
public enum NetworkFamily: String, CaseIterable, Sendable {
  /// Pre-activation spiking ResNet with batch norm and the 3x3 stem for small images.
  case resNet = "resnet"
  /// Normaliser-free spiking ResNet of two 3x3 convolutions a block, 7x7 stem.
  case nfResNet = "nf-resnet"
  /// Normaliser-free spiking ResNet of 1x1, 3x3, 1x1 convolutions a block, 7x7 stem.
  case nfResNetBottleneck = "nf-resnet-bottleneck"
  /// Spiking VGG with batch norm.
  case vgg
}

/// A published architecture: a family at a certain depth.
public enum Architecture: String, CaseIterable, Sendable {
  case resNet18 = "resnet18"
  case resNet34 = "resnet34"
  case nfResNet34 = "nf-resnet34"
  case nfResNet50 = "nf-resnet50"
  case nfResNet101 = "nf-resnet101"
  case vgg11
  case vgg13
  case vgg16
  case vgg19

  /// The family that the architecture belongs to.
  public var family: NetworkFamily {
    switch self {
    case .resNet18, .resNet34: .resNet
    case .nfResNet34: .nfResNet
    case .nfResNet50, .nfResNet101: .nfResNetBottleneck
    case .vgg11, .vgg13, .vgg16, .vgg19: .vgg
    }
  }

  /// Residual blocks (ResNets) or convolutions (VGG) of each stage.
  public var blocks: [Int] {
    switch self {
    case .resNet18: [2, 2, 2, 2]
    case .resNet34, .nfResNet34, .nfResNet50: [3, 4, 6, 3]
    case .nfResNet101: [3, 4, 23, 3]
    case .vgg11: [1, 1, 2, 2, 2]
    case .vgg13: [2, 2, 2, 2, 2]
    case .vgg16: [2, 2, 3, 3, 3]
    case .vgg19: [2, 2, 4, 4, 4]
    }
  }
}

/// The surrogate for the derivative of a spike with respect to `z = u - threshold`.
public struct SurrogateGradient: Equatable, Sendable {
  /// The form of the function, named as in configuration files.
  public enum Shape: String, CaseIterable, Sendable {
    /// `max(0, a - a²|z|)`
    case triangle
    /// `1/a` where `|z| <= a/2`, else 0
    case rectangle
    /// `a σ(az)(1 - σ(az))`
    case sigmoid
  }

  /// The form of the function.
  public var shape: Shape
  /// `a` in the formulas of `Shape`.
  public var width: Float

  /// Without a width, the published one: 1 for triangle and rectangle, 4 for sigmoid.
  public init(_ shape: Shape, width: Float? = nil) {
    self.shape = shape
    self.width = width ?? (shape == .sigmoid ? 4 : 1)
  }
}

/// The leaky integrate-and-fire neuron's constants.
public struct NeuronSpecification: Equatable, Sendable {
  /// Membrane time constant in time steps; `.infinity` makes it an IF neuron.
  public var tau: Float
  /// Membrane potential at which the neuron fires.
  public var threshold: Float
  /// Stands in for the derivative of the spike.
  public var surrogate: SurrogateGradient
  /// Learns `tau`, one for each LIF layer (Fang et al., ICCV 2021, arXiv 2007.05785).
  public var hasLearnableTau: Bool

  public init(
    tau: Float = 1.1, threshold: Float = 1, surrogate: SurrogateGradient = .init(.triangle),
    hasLearnableTau: Bool = false
  ) {
    self.tau = tau
    self.threshold = threshold
    self.surrogate = surrogate
    self.hasLearnableTau = hasLearnableTau
  }
}

/// Everything that determines a network's shape.
public struct NetworkSpecification: Equatable, Sendable {
  public var family: NetworkFamily
  /// Residual blocks (ResNets) or convolutions (VGG) of each stage.
  public var blocks: [Int]
  /// Channels of the first stage; 64 as published.
  public var width: Int
  public var classes: Int
  public var inputChannels: Int
  /// Height and width of the input in pixels.
  public var imageSize: Int
  /// Probability that a spike (or pooled feature) is dropped in training.
  public var dropout: Float
  public var neuron: NeuronSpecification

  public init(
    family: NetworkFamily, blocks: [Int], width: Int = 64, classes: Int, inputChannels: Int = 3,
    imageSize: Int, dropout: Float = 0, neuron: NeuronSpecification = .init()
  ) {
    self.family = family
    self.blocks = blocks
    self.width = width
    self.classes = classes
    self.inputChannels = inputChannels
    self.imageSize = imageSize
    self.dropout = dropout
    self.neuron = neuron
  }
}
