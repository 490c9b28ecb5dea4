/// A family of network architectures, named as in configuration files.
public enum NetworkFamily: String, CaseIterable, Sendable {
  /// Pre-activation spiking ResNet with batch norm and the 3x3 stem for small images.
  case resNet = "resnet"
  /// Normalizer-free spiking ResNet of two 3x3 convolutions a block, 7x7 stem.
  case nfResNet = "nf-resnet"
  /// Normalizer-free spiking ResNet of 1x1, 3x3, 1x1 convolutions a block, 7x7 stem.
  case nfResNetBottleneck = "nf-resnet-bottleneck"
  /// Spiking VGG with batch norm.
  case vgg
  /// Spike-element-wise ResNet of two 3x3 convolutions a block, whose blocks add spikes to spikes.
  case sewResNet = "sew-resnet"
  /// Spike-element-wise ResNet of 1x1, 3x3, 1x1 convolutions a block.
  case sewResNetBottleneck = "sew-resnet-bottleneck"

  /// Whether its networks are made for small or large images by choice.
  public var hasStems: Bool { self == .sewResNet || self == .sewResNetBottleneck }
}

extension NetworkFamily {
  /// The parts of one of its networks.
  ///
  /// - Parameters:
  ///   - blocks: residual blocks (ResNets) or convolutions (VGG) of each stage.
  ///   - width: channels of the first stage; 64 as published.
  ///   - stem: of the families that have a choice.
  /// - Precondition: `problem` is `nil`.
  public func parts(blocks: [Int], width: Int, stem: StemKind = .imagenet) -> [Part] {
    precondition(Self.problem(blocks: blocks, width: width) == nil)
    switch self {
    case .resNet: return preActivationResNet(blocks: blocks, width: width)
    case .nfResNet: return normalizerFreeResNet(blocks: blocks, width: width, isBottleneck: false)
    case .nfResNetBottleneck:
      return normalizerFreeResNet(blocks: blocks, width: width, isBottleneck: true)
    case .vgg: return vgg(blocks: blocks, width: width)
    case .sewResNet, .sewResNetBottleneck:
      return sewResNet(
        blocks: blocks, width: width, stem: stem, isBottleneck: self == .sewResNetBottleneck)
    }
  }

  /// Why no family has such networks, or `nil`. What is too large for a machine is another question.
  public static func problem(blocks: [Int], width: Int) -> NetworkError? {
    let (mostStages, mostBlocks, widths) = (16, 1000, 1...1 << 24)
    if blocks.isEmpty || blocks.count > mostStages || blocks.contains(where: { $0 < 1 }) {
      return NetworkError(
        .setting("model.blocks"),
        "\(blocks) must be of 1 to \(mostStages) stages with at least one block in each")
    }
    if blocks.reduce(0, { min($0, mostBlocks) + min($1, mostBlocks) }) > mostBlocks {
      return NetworkError(
        .setting("model.blocks"),
        "\(blocks) are more than \(mostBlocks) together: leave some out")
    }
    if !widths.contains(width) {
      return NetworkError(
        .setting("model.width"),
        "\(width) must be from \(widths.lowerBound) to \(widths.upperBound)")
    }
    return nil
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
  case sewResNet18 = "sew-resnet18"
  case sewResNet34 = "sew-resnet34"
  case sewResNet50 = "sew-resnet50"

  /// The family that the architecture belongs to.
  public var family: NetworkFamily {
    switch self {
    case .resNet18, .resNet34: .resNet
    case .nfResNet34: .nfResNet
    case .nfResNet50, .nfResNet101: .nfResNetBottleneck
    case .vgg11, .vgg13, .vgg16, .vgg19: .vgg
    case .sewResNet18, .sewResNet34: .sewResNet
    case .sewResNet50: .sewResNetBottleneck
    }
  }

  /// Residual blocks (ResNets) or convolutions (VGG) of each stage.
  public var blocks: [Int] {
    switch self {
    case .resNet18, .sewResNet18: [2, 2, 2, 2]
    case .resNet34, .nfResNet34, .nfResNet50, .sewResNet34, .sewResNet50: [3, 4, 6, 3]
    case .nfResNet101: [3, 4, 23, 3]
    case .vgg11: [1, 1, 2, 2, 2]
    case .vgg13: [2, 2, 2, 2, 2]
    case .vgg16: [2, 2, 3, 3, 3]
    case .vgg19: [2, 2, 4, 4, 4]
    }
  }
}
