import SpikingNetworks

extension Configuration {
  /// The network.
  public struct Model: Sendable {
    public var architecture: Architecture?
    public var family: NetworkFamily? = .resNet
    public var blocks: [Int]? = [1, 1, 1]
    /// A network of one's own.
    public var layers: LayerList?
    /// nil beside `layers`.
    public var width: Int? = 16
    /// nil: by the image's size.
    public var stem: StemKind?
    public var normalization = NormalizationKind.batch
    public var classes: Int?
    public var inputChannels: Int?
    public var dropout = 0.0
  }
}

extension Configuration.Model {
  static let keys: [ConfigurationKey] = [
    .init(
      "model.architecture", \.model.architecture,
      "A published network; or else give family and blocks."),
    .init(
      "model.family", \.model.family,
      "The kind of network, for a depth of your own."),
    .init(
      "model.blocks", \.model.blocks, limit: .stages,
      "Residual blocks (ResNets) or convolutions (VGG) of each stage."),
    .init(
      "model.layers", \.model.layers,
      "A network of your own, layer by layer, in place of all above and of width."),
    .init(
      "model.width", \.model.width, limit: .channels,
      "Channels of the first stage; 64 as published."),
    .init(
      "model.stem", \.model.stem,
      "First layers of a sew-resnet; left out: cifar up to 64 pixels, else imagenet."),
    .init(
      "model.normalization", \.model.normalization,
      "Batch norm at each time step, or online, by running statistics of all of them (OSR)."),
    .init(
      "model.classes", \.model.classes, limit: .classes,
      "Outputs of the network; left out: the classes of the data."),
    .init(
      "model.input_channels", \.model.inputChannels, limit: .channels,
      "Channels of the input; left out: 3, 2 for events, 1 for the embedded MNIST."),
    .init(
      "model.dropout", \.model.dropout, limit: .belowOne,
      "Probability that a spike is dropped in training."),
  ]
}
