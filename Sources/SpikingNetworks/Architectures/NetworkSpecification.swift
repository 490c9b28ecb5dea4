import Tensors

/// What the batch norm of a network's parts becomes, named as in configuration files.
public enum NormalizationKind: String, CaseIterable, Sendable {
  /// Each time step is normalised by statistics of its own.
  case batch
  /// All time steps are normalised by running statistics (OSR: Zhu et al., ICLR 2024).
  case online
}

/// Everything that determines a network's shape and arithmetic.
public struct NetworkSpecification: Equatable, Sendable {
  /// In the order of the forward pass.
  public var parts: [Part]
  /// What people call it.
  public var title: String
  public var classes: Int
  public var inputChannels: Int
  /// Height and width of the input in pixels.
  public var imageSize: Int
  /// Probability that a spike (or pooled feature) is dropped in training, where a part has none of its own.
  public var dropout: Float
  public var normalization: NormalizationKind
  /// Where a part has no values of its own.
  public var neuron: NeuronSpecification
  /// Of dense products, where the machine has it.
  public var precision: Precision
  /// What to save where time and memory compete.
  public var memory: MemoryUse

  public init(
    parts: [Part], title: String = "own network", classes: Int, inputChannels: Int = 3,
    imageSize: Int, dropout: Float = 0, normalization: NormalizationKind = .batch,
    neuron: NeuronSpecification = .init(), precision: Precision = .float32,
    memory: MemoryUse = .fast
  ) {
    self.parts = parts
    self.title = title
    self.classes = classes
    self.inputChannels = inputChannels
    self.imageSize = imageSize
    self.dropout = dropout
    self.normalization = normalization
    self.neuron = neuron
    self.precision = precision
    self.memory = memory
  }

  /// A network of a published family.
  ///
  /// - Precondition: `NetworkFamily.problem` is `nil`.
  public init(
    family: NetworkFamily, blocks: [Int], width: Int = 64, stem: StemKind = .imagenet,
    classes: Int, inputChannels: Int = 3,
    imageSize: Int, dropout: Float = 0, normalization: NormalizationKind = .batch,
    neuron: NeuronSpecification = .init(), precision: Precision = .float32,
    memory: MemoryUse = .fast
  ) {
    self.init(
      parts: family.parts(blocks: blocks, width: width, stem: stem),
      title: "\(family.rawValue) \(blocks), width \(width)", classes: classes,
      inputChannels: inputChannels, imageSize: imageSize, dropout: dropout,
      normalization: normalization, neuron: neuron, precision: precision, memory: memory)
  }

  /// A frame of one sample.
  public var input: Shape { Shape(n: 1, h: imageSize, w: imageSize, c: inputChannels) }
}

extension NetworkSpecification {
  /// More than any network has.
  public static let mostParts = 20_000

  /// Why there is no such network, or `nil`.
  public var problem: NetworkError? {
    do throws(NetworkError) {
      try checkSettings()
      guard parts.expandedCount <= Self.mostParts else {
        throw NetworkError(.composition, "has more than \(Self.mostParts) parts: take fewer")
      }
      try NetworkCheck.run([PlacedPart](parts), self)
      return nil
    } catch {
      return error
    }
  }

  private func checkSettings() throws(NetworkError) {
    for (key, value) in [
      ("model.classes", classes), ("model.input_channels", inputChannels),
      ("data.image_size", imageSize),
    ] where value < 1 {
      throw NetworkError(.setting(key), "\(value) must be positive")
    }
    if !(dropout >= 0 && dropout < 1) {
      throw NetworkError(
        .setting("model.dropout"), "\(dropout) must be at least 0 and less than 1")
    }
    if let (key, problem) = neuron.problem {
      throw NetworkError(.setting("neuron." + key), problem)
    }
    if normalization == .online && !parts.haveBatchNorm {
      throw NetworkError(
        .setting("model.normalization"),
        "online takes the place of batch norm, of which this network has none: set it to batch")
    }
  }

  /// The least height and width of the input, in pixels, with which there is such a network; `nil` where there
  /// is none with a power of two either.
  public var smallestImage: Int? {
    var copy = self
    func fits(_ size: Int) -> Bool {
      copy.imageSize = size
      return copy.problem == nil
    }
    guard let enough = (0...14).map({ 1 << $0 }).first(where: fits) else { return nil }
    var (low, high) = (enough / 2, enough)
    while high - low > 1 {
      let middle = (low + high) / 2
      if fits(middle) { high = middle } else { low = middle }
    }
    return high
  }
}
