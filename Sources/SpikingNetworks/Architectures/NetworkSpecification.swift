import Tensors

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

  /// Whether its networks keep running statistics of activations.
  public var hasBatchNorm: Bool {
    switch self {
    case .resNet, .vgg: true
    case .nfResNet, .nfResNetBottleneck: false
    }
  }
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

/// Everything that determines a network's shape and arithmetic.
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
  /// Of dense products, where the machine has it.
  public var precision: Precision
  /// What to save where time and memory compete.
  public var memory: MemoryUse

  public init(
    family: NetworkFamily, blocks: [Int], width: Int = 64, classes: Int, inputChannels: Int = 3,
    imageSize: Int, dropout: Float = 0, neuron: NeuronSpecification = .init(),
    precision: Precision = .float32, memory: MemoryUse = .fast
  ) {
    self.family = family
    self.blocks = blocks
    self.width = width
    self.classes = classes
    self.inputChannels = inputChannels
    self.imageSize = imageSize
    self.dropout = dropout
    self.neuron = neuron
    self.precision = precision
    self.memory = memory
  }
}

extension NetworkSpecification {
  /// The network's parts, each a section.
  ///
  /// - Precondition: `problem` is `nil`.
  var parts: [Part] {
    switch family {
    case .resNet: preActivationResNet()
    case .nfResNet: normalizerFreeResNet(isBottleneck: false)
    case .nfResNetBottleneck: normalizerFreeResNet(isBottleneck: true)
    case .vgg: vgg()
    }
  }

  /// A frame of one sample.
  public var input: Shape { Shape(n: 1, h: imageSize, w: imageSize, c: inputChannels) }

  /// Why there is no such network, or `nil`.
  public var problem: String? {
    if blocks.isEmpty || blocks.count > 16 || blocks.contains(where: { $0 < 1 }) {
      return "model.blocks \(blocks) must be of 1 to 16 stages with at least one block in each"
    }
    if width < 1 || classes < 1 || inputChannels < 1 || imageSize < 1 {
      return "model.width, model.classes, model.input_channels and data.image_size must be positive"
    }
    if width == 1 && [.nfResNet, .nfResNetBottleneck].contains(family) {
      return "model.width 1 is too small for a normaliser-free network: its 1x1 convolutions would"
        + " have one weight a channel, which has no variance"
    }
    if !(dropout >= 0 && dropout < 1) {
      return "model.dropout \(dropout) must be at least 0 and less than 1"
    }
    if !(neuron.tau >= 1) || neuron.hasLearnableTau && !(neuron.tau > 1 && neuron.tau < .infinity) {
      return "neuron.tau \(neuron.tau) must be at least 1 (a learnable one greater and finite)"
    }
    if let problem = sizeProblem { return problem }
    if imageSize < smallestImage {
      return "data.image_size \(imageSize) is too small for this network: it needs at least"
        + " \(smallestImage) with \(blocks.count) stages, or too few pixels are left to normalise and"
        + " to pool"
    }
    return nil
  }

  /// Channels of the 3x3 convolutions of a stage, counted from 0.
  func planes(ofStage stage: Int) -> Int { width << (family == .vgg ? min(stage, 3) : stage) }

  /// What no machine can hold, nor libraries that count in 32 bits; so that sizes can be multiplied.
  private var sizeProblem: String? {
    let mostBlocks = 1000
    let mostWeights = 0x1p36
    let weights = blocks.enumerated().reduce(0.0) { sum, stage in
      let planes = Double(planes(ofStage: stage.offset))
      return sum + 9 * planes * planes * Double(stage.element)
    }
    if blocks.reduce(0, { min($0, mostBlocks) + min($1, mostBlocks) }) > mostBlocks {
      return "model.blocks \(blocks) are more than \(mostBlocks) together: leave some out"
    }
    if weights > mostWeights {
      return "model.width \(width) with model.blocks \(blocks) gives the network more than"
        + " \(Int(mostWeights)) weights: lower the width, or take fewer stages or blocks"
    }
    // Layers that follow the first convolution have no larger tensors.
    let side = family.hasBatchNorm ? imageSize : (imageSize + 1) / 2
    let largest = max(imageSize * imageSize * inputChannels, side * side * width)
    if largest > Int32.max {
      return "data.image_size \(imageSize) makes tensors of more than \(Int32.max) numbers for a"
        + " single image: lower it, or model.width or model.input_channels"
    }
    return nil
  }

  /// The least height and width in pixels that leave something to pool after the last stage. Every batch
  /// norm then has more than one pixel, so that it has a variance even of a single sample.
  var smallestImage: Int {
    let halvings = 1 << (blocks.count - 1)
    switch family {
    case .resNet: return 3 * halvings + 1
    case .nfResNet, .nfResNetBottleneck: return 1
    case .vgg: return 1 << blocks.count
    }
  }
}
