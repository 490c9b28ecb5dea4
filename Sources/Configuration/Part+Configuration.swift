import SpikingNetworks
import Tensors
internal import Yams

/// A kind of parts of a network: its name and parameters in `model.layers`.
typealias PartKind = NamedKind<Part>

extension PartKind {
  private init<Value: Sendable>(
    _ name: String, _ defaults: Value, required: [String] = [],
    _ fields: [ConfigurationField<Value>],
    wrap: @escaping @Sendable (Value) -> Part, unwrap: @escaping @Sendable (Part) -> Value?
  ) {
    self.init(
      name, defaults, required: required, omitsDefaults: true, fields, wrap: wrap, unwrap: unwrap)
  }

  /// All kinds.
  static let all: [PartKind] = [
    .init(
      "convolution", ConvolutionPart.blank, required: ConvolutionPart.required,
      ConvolutionPart.fields
    ) {
      .convolution($0)
    } unwrap: {
      if case .convolution(let part) = $0 { part } else { nil }
    },
    .init(
      "batch_norm", BatchNormPart(),
      [.init("name", \.name, "Its name in its group.")]
    ) {
      .batchNorm($0)
    } unwrap: {
      if case .batchNorm(let part) = $0 { part } else { nil }
    },
    .init(
      "neuron", NeuronPart(),
      [
        .init("name", \.name, "Its name in its group."),
        .init("kind", \.kind, "What neurons they are; left out: neuron.kind."),
        .init(
          "tau", \.tau, limit: .init(.timeConstant),
          "Membrane time constant; left out: neuron.tau."),
        .init(
          "threshold", \.threshold, limit: .init(.positive),
          "Membrane potential at which it fires; left out: neuron.threshold."),
        .init("reset", \.reset, "What a spike does to the potential; left out: neuron.reset."),
        .init(
          "levels", \.levels, limit: .within(1...MembraneDynamics.mostLevels),
          "The most spikes of a time step; left out: neuron.levels."),
        .init(
          "surrogate", \.surrogate,
          "What stands in for a spike's derivative; left out: neuron.surrogate."),
        .init(
          "surrogate_width", \.surrogateWidth, limit: .init(.positive),
          "Its width; left out: neuron.surrogate_width, or the default of a surrogate given here."),
        .init("input_scale", \.inputScale, limit: .init(.positive), "Multiplies the input."),
        .init("amplitude", \.amplitude, limit: .init(.positive), "What a spike stands for."),
        .init("learnable_tau", \.learnsTau, isFormer: true, "Kind plif."),
      ]
    ) {
      .neuron($0)
    } unwrap: {
      if case .neuron(let part) = $0 { part } else { nil }
    },
    .init(
      "average_pool", WindowPoolPart(kernel: 1), required: ["kernel"],
      WindowPoolPart.fields(padding: "Zeros around the image, which count.")
    ) {
      .averagePool($0)
    } unwrap: {
      if case .averagePool(let part) = $0 { part } else { nil }
    },
    .init(
      "max_pool", WindowPoolPart(kernel: 1), required: ["kernel"],
      WindowPoolPart.fields(padding: "Pixels around the image, which never count.")
    ) {
      .maxPool($0)
    } unwrap: {
      if case .maxPool(let part) = $0 { part } else { nil }
    },
    .init(
      "adaptive_pool", AdaptivePoolPart(size: 1), required: ["size"],
      [
        .init("name", \.name, "Its name in its group."),
        .init("size", \.size, limit: .kernel, "Height and width of the output."),
      ]
    ) {
      .adaptivePool($0)
    } unwrap: {
      if case .adaptivePool(let part) = $0 { part } else { nil }
    },
    .init(
      "dropout", DropoutPart(),
      [
        .init("name", \.name, "Its name in its group."),
        .init(
          "probability", \.probability, limit: .init(.belowOne),
          "That an element is dropped; left out: model.dropout."),
      ]
    ) {
      .dropout($0)
    } unwrap: {
      if case .dropout(let part) = $0 { part } else { nil }
    },
    .init(
      "linear", LinearPart(),
      [
        .init("name", \.name, "Its name in its group."),
        .init("outputs", \.outputs, "Features of the output."),
        .init("weight", \.weight, "Initial values of the weights."),
        .init("bias", \.bias, "Initial values of the biases."),
      ]
    ) {
      .linear($0)
    } unwrap: {
      if case .linear(let part) = $0 { part } else { nil }
    },
    .init(
      "sequence", SequencePart(nil, []), required: ["layers"],
      [
        .init("name", \.name, "Its name in the group around it."),
        .init("layers", \.layers, "One after the other."),
      ]
    ) {
      .sequence($0)
    } unwrap: {
      if case .sequence(let part) = $0 { part } else { nil }
    },
    .init(
      "repeat", RepetitionPart(nil, times: 1, []), required: ["times", "layers"],
      [
        .init("name", \.name, "Of a group around all times; left out: there is none."),
        .init("times", \.times, limit: .within(1...NetworkSpecification.mostParts), "How often."),
        .init("layers", \.layers, "One after the other, each time a group with its number."),
      ]
    ) {
      .repetition($0)
    } unwrap: {
      if case .repetition(let part) = $0 { part } else { nil }
    },
    .init(
      "residual", ResidualPart(branch: []), required: ["branch"],
      [
        .init(
          "branch", \.branch, "One after the other; the last one is a convolution, or a neuron."),
        .init(
          "shortcut", \.writtenShortcut,
          "Beside the branch, of layers that end as it does; left out: the input itself."),
        .init(
          "skip_init", \.skipInit, limit: .init(.positive),
          "Factor of the branch, beside a learnt gain from 0; for a standardized last convolution."),
      ]
    ) {
      .residual($0)
    } unwrap: {
      if case .residual(let part) = $0 { part } else { nil }
    },
  ]
}

extension ConvolutionPart {
  /// Without what must be given.
  fileprivate static let blank = ConvolutionPart(channels: 1, kernel: 1)
  fileprivate static let required = ["channels", "kernel"]

  fileprivate static let fields: [ConfigurationField<ConvolutionPart>] = [
    .init("name", \.name, "Its name in its group."),
    .init("channels", \.channels, limit: .channels, "Of the output."),
    .init("kernel", \.kernel, limit: .kernel, "Height and width of the window."),
    .init("stride", \.stride, limit: .kernel, "Pixels that the window moves by."),
    .init(
      "padding", \.padding, limit: .padding,
      "Zeros around the image; left out: (kernel - 1) / 2, which keeps its size."),
    .init("standardized", \.isStandardized, "Scaled weight standardization."),
    .init("bias", \.bias, "Initial values of the biases; not of a standardized one, whose are 0."),
  ]
}

extension WindowPoolPart {
  /// - Parameter padding: what padding means.
  fileprivate static func fields(padding: String) -> [ConfigurationField<WindowPoolPart>] {
    [
      .init("name", \.name, "Its name in its group."),
      .init("kernel", \.kernel, limit: .kernel, "Height and width of the window."),
      .init("stride", \.stride, limit: .kernel, "Pixels that it moves by; left out: the kernel."),
      .init("padding", \.padding, limit: .padding, padding),
    ]
  }
}

extension NeuronPart {
  /// As files of earlier versions said kind plif.
  fileprivate var learnsTau: Bool? {
    get { nil }
    set { kind = newValue.map { $0 ? .plif : .lif } }
  }
}

/// A residual's shortcut is written as the parameters of a convolution where it is one, else as a list.
enum WrittenShortcut: Sendable {
  case convolution(ConvolutionPart)
  case layers([Part])
}

extension ResidualPart {
  fileprivate var writtenShortcut: WrittenShortcut? {
    get {
      guard let first = shortcut.first else { return nil }
      if case .convolution(let part) = first, shortcut.count == 1 { return .convolution(part) }
      return .layers(shortcut)
    }
    set {
      switch newValue {
      case .convolution(let part)?: shortcut = [.convolution(part)]
      case .layers(let parts)?: shortcut = parts
      case nil: shortcut = []
      }
    }
  }
}

extension WrittenShortcut: ConfigurationValue {
  static var kind: String {
    "the parameters of a convolution, such as {channels: 16, kernel: 1}, or a list of layers"
  }

  private static let reader = NamedKind<ConvolutionPart>(
    "convolution", ConvolutionPart.blank, required: ConvolutionPart.required, omitsDefaults: true,
    ConvolutionPart.fields
  ) {
    $0
  } unwrap: {
    $0
  }

  init?(_ node: Node) {
    guard let shortcut = try? Self.read(node, limit: .none) else { return nil }
    self = shortcut
  }

  static func read(
    _ node: Node, limit: Limit<WrittenShortcut>
  ) throws(ConfigurationMisfit) -> WrittenShortcut {
    guard node.sequence == nil else { return .layers(try [Part].read(node, limit: .none)) }
    return .convolution(try reader.read(node))
  }

  var yaml: String {
    switch self {
    case .convolution(let part): String(Self.reader.yaml(part)!.dropFirst())
    case .layers(let parts): parts.yaml
    }
  }
}

extension Part: ConfigurationElement {
  static var listKind: String { "a list of layers" }

  static func readList(_ node: Node, expected: String) throws(ConfigurationMisfit) -> [Part] {
    guard let nodes = node.sequence, !nodes.isEmpty else {
      throw ConfigurationMisfit(node, expected: expected)
    }
    let parts = try PartKind.readList(
      nodes, of: PartKind.all,
      expected: "one layer such as convolution: {channels: 16, kernel: 3}")
    // Here, since a few anchors in YAML can stand for more than memory holds.
    let most = NetworkSpecification.mostParts
    guard parts.expandedCount <= most else {
      throw ConfigurationMisfit(.impossible("has more than \(most) parts: take fewer"))
    }
    return parts
  }

  static func yaml(of list: [Part]) -> String { PartKind.yaml(list, of: PartKind.all) }
}

extension PartName: ConfigurationValue {
  static var kind: String { "a name of letters, digits, _ and -" }

  init?(_ node: Node) {
    guard let text = node.string else { return nil }
    self.init(text)
  }

  var yaml: String { Node(description).isNull ? description.yaml : description }
}

extension LinearPart.Outputs: ConfigurationValue {
  static var kind: String { "classes, or an integer" + Limit.classes.text }

  init?(_ node: Node) {
    if node.string == "classes" {
      self = .classes
    } else if let count = Int(node), Limit.classes.admits(count) {
      self = .count(count)
    } else {
      return nil
    }
  }

  var yaml: String {
    switch self {
    case .classes: "classes"
    case .count(let count): count.yaml
    }
  }
}

extension ConvolutionPart.Bias: ConfigurationValue {}
extension FirstValues: ConfigurationValue {}
