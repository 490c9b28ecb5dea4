import Datasets
internal import Yams

/// A kind of augmentation steps: its name and parameters in configuration files.
typealias AugmentationStepKind = NamedKind<any AugmentationStep>

extension AugmentationStepKind {
  private init<Step: AugmentationStep>(_ parameters: ConfigurationField<Step>...) {
    self.init(Step.name, Step(), omitsDefaults: false, parameters) {
      $0
    } unwrap: {
      $0 as? Step
    }
  }

  /// All kinds.
  static let all: [AugmentationStepKind] = [
    .init(
      ConfigurationField<Resize>(
        "size", \.size, limit: .side, "Length of the shorter side; left out: data.image_size.")),
    .init(
      ConfigurationField<CenterCrop>(
        "size", \.size, limit: .side, "Height and width; left out: data.image_size.")),
    .init(
      ConfigurationField<RandomCrop>(
        "size", \.size, limit: .side, "Height and width; left out: data.image_size."),
      .init("padding", \.padding, limit: .within(0...4096), "Zeros around the image.")),
    .init(
      ConfigurationField<RandomResizedCrop>(
        "size", \.size, limit: .side, "Height and width; left out: data.image_size."),
      .init("scale", \.scale, limit: .shares, "Area, as a share of the image's."),
      .init("ratio", \.ratio, limit: .ratios, "Width / height.")),
    .init(ConfigurationField<RandomHorizontalFlip>("p", \.p, limit: .share, "Probability.")),
    .init(
      ConfigurationField<ColorJitter>(
        "brightness", \.brightness, limit: .strength, "The factor's largest distance from 1."),
      .init("contrast", \.contrast, limit: .strength, "The factor's largest distance from 1."),
      .init(
        "saturation", \.saturation, limit: .strength, "The factor's largest distance from 1."),
      .init(
        "hue", \.hue, limit: .within(0...0.5), "The largest turn, as a share of the colour circle.")
    ),
    .init(
      ConfigurationField<AutoAugment>(
        "policy", \.policy, "The data set that the operations were searched for."),
      .init("fill", \.fill, limit: .within(0...255), "Samples of what lies outside the image.")),
    .init(
      ConfigurationField<RandAugment>(
        "num_ops", \.operations, limit: .within(0...100), "Operations on an image."),
      .init("magnitude", \.magnitude, limit: .within(0...999), "Which of the magnitudes, from 0."),
      .init(
        "num_magnitude_bins", \.bins, limit: .within(2...1000),
        "Magnitudes between none and the strongest."),
      .init("fill", \.fill, limit: .within(0...255), "Samples of what lies outside the image.")),
    .init(
      ConfigurationField<TrivialAugment>(
        "num_magnitude_bins", \.bins, limit: .within(2...1000),
        "Magnitudes between none and the strongest."),
      .init("fill", \.fill, limit: .within(0...255), "Samples of what lies outside the image.")),
    .init(
      ConfigurationField<RandomErasing>("p", \.p, limit: .share, "Probability."),
      .init("scale", \.scale, limit: .shares, "Area, as a share of the image's."),
      .init("ratio", \.ratio, limit: .ratios, "Height / width."),
      .init("value", \.value, "What the normalized image is covered with.")),
    .init(
      ConfigurationField<Cutout>("p", \.p, limit: .share, "Probability."),
      .init("size", \.size, limit: .within(2...16_384), "Height and width; less 1 if odd.")),
    .init(
      ConfigurationField<GrayCutout>("p", \.p, limit: .share, "Probability."),
      .init("scale", \.scale, limit: .shares, "Area, as a share of the image's."),
      .init("ratio", \.ratio, limit: .ratios, "Height / width.")),
  ]
}

extension RandomErasing.Value: ConfigurationValue {
  static var kind: String { "a number\(Limit<Double>.any.text) or random" }

  init?(_ node: Node) {
    if node.string == "random" {
      self = .random
    } else if let number = Double(node), Limit.any.admits(number) {
      self = .constant(number)
    } else {
      return nil
    }
  }

  var yaml: String {
    switch self {
    case .constant(let number): number.yaml
    case .random: "random"
    }
  }
}

extension Augmentation: ConfigurationValue {
  static var kind: String {
    "one of " + presets.joined(separator: ", ") + ", or a list of up to \(mostSteps) steps"
  }

  /// Far more than there are kinds of steps.
  private static let mostSteps = 100

  private static var presets: [String] { AugmentationPreset.allCases.map(\.rawValue) }

  init?(_ node: Node) {
    guard let augmentation = try? Self.read(node, limit: .none) else { return nil }
    self = augmentation
  }

  static func read(
    _ node: Node, limit: Limit<Augmentation>
  ) throws(ConfigurationMisfit) -> Augmentation {
    if let preset = node.string.flatMap(AugmentationPreset.init(rawValue:)) {
      return .preset(preset)
    }
    guard let nodes = node.sequence, nodes.count <= mostSteps else {
      throw ConfigurationMisfit(node, expected: kind, choices: presets)
    }
    return .steps(
      try AugmentationStepKind.readList(
        nodes, of: AugmentationStepKind.all,
        expected: "one step such as random_crop: {padding: 4}"))
  }

  /// A preset's name, or below the key one line a step.
  var yaml: String {
    switch self {
    case .preset(let preset): preset.rawValue
    case .steps(let steps):
      AugmentationStepKind.yaml(steps, of: AugmentationStepKind.all)
    }
  }
}
