import Configuration
import Datasets

/// What weights were trained on. Wherever they meet data and a configuration again, in `--resume`,
/// `evaluate`, `--init-from` and `bench step --checkpoint`, these are held against it here.
package struct TrainedOn {
  /// The checkpoint or model, for messages.
  let path: String
  /// Class names; a label is a position in this list.
  let classes: [String]
  /// The resolved configuration, as YAML.
  let configuration: String

  /// - Parameter remedy: ends the message.
  /// - Throws: `CheckpointError` that names the first difference, unless the weights know these classes.
  package func requireClasses(_ names: [String], remedy: String = "") throws(CheckpointError) {
    guard classes != names else { return }
    let index = zip(classes, names).prefix { $0 == $1 }.count
    func name(_ list: [String]) -> String { index < list.count ? "'\(list[index])'" : "no class" }
    throw CheckpointError(
      path: path,
      problem:
        "was trained on other classes: number \(index) (from 0) is \(name(classes)) there and"
        + " \(name(names)) in these data\(remedy)")
  }

  /// A key whose value changes what the weights mean.
  struct Difference: Equatable {
    let key: String
    let before: String
    let now: String
  }

  /// What changes the meaning of the weights: the network, and what becomes of a sample before it.
  ///
  /// - Parameter includingCourse: also what a run cannot change on its way: which samples make a batch,
  ///   what there is of the optimizer's state, and outputs beyond the classes.
  /// - Throws: `ConfigurationError` where the earlier configuration is none of this program's.
  func differences(
    from configuration: Configuration, includingCourse: Bool = false
  ) throws -> [Difference] {
    let earlier = try self.configuration(onDataOf: configuration)
    var now = configuration
    // Left out, they are those of the data, which `requireClasses` compares.
    now.model.classes = now.model.classes ?? classes.count
    let facts = Self.input + Self.network + (includingCourse ? Self.course : [])
    return try [networkDifference(earlier, now)].compactMap { $0 }
      + Self.differences(in: facts, earlier, now)
  }

  /// What changes what a network gets of a sample.
  ///
  /// - Throws: as `differences`.
  func inputDifferences(from configuration: Configuration) throws -> [Difference] {
    try Self.differences(
      in: Self.input, try self.configuration(onDataOf: configuration), configuration)
  }

  /// The earlier configuration, with the number of classes, on the data of another: they may have been
  /// elsewhere, and their format follows from their path.
  func configuration(onDataOf other: Configuration) throws -> Configuration {
    var earlier = Configuration()
    try earlier.apply(yaml: configuration, from: path)
    earlier.model.classes = earlier.model.classes ?? classes.count
    earlier.data.path = other.data.path
    earlier.data.format = other.data.format
    return earlier
  }

  private static func differences(
    in facts: [Fact], _ earlier: Configuration, _ now: Configuration
  ) throws -> [Difference] {
    try facts.compactMap { fact in
      let difference = Difference(
        key: fact.key, before: try fact.value(earlier), now: try fact.value(now))
      return difference.before == difference.now ? nil : difference
    }
  }

  /// Between two networks as they are called, or between their layers where neither has a name.
  private func networkDifference(
    _ earlier: Configuration, _ now: Configuration
  ) throws -> Difference? {
    let (before, after) = (try earlier.network, try now.network)
    guard before.parts != after.parts else { return nil }
    guard before.title == after.title else {
      if let difference = try singleDifference(earlier, now) { return difference }
      return Difference(key: "model.architecture", before: before.title, now: after.title)
    }
    func lines(_ configuration: Configuration) -> [Substring] {
      (configuration.value(of: "model.layers") ?? "").split(separator: "\n")
    }
    let (old, new) = (lines(earlier), lines(now))
    let first = zip(old, new).prefix { $0 == $1 }.count
    func text(_ lines: [Substring]) -> String {
      first < lines.count
        ? "'\(lines[first].trimmingPrefix { " -".contains($0) })'" : "no more layers"
    }
    return Difference(key: "model.layers", before: text(old), now: text(new))
  }

  /// Of two networks that differ in one key, by which people may set it right.
  private func singleDifference(
    _ earlier: Configuration, _ now: Configuration
  ) throws -> Difference? {
    let keys: [Fact] = Configuration.keys.filter { $0.name.hasPrefix("model.") }.map { key in
      (key.name, { key.yaml($0) ?? "none" })
    }
    let all = try Self.differences(in: keys, earlier, now)
    return all.count == 1 && all[0].key != "model.layers" ? all[0] : nil
  }

  private typealias Fact = (key: String, value: @Sendable (Configuration) throws -> String)

  private static let network: [Fact] = [
    ("model.normalization", { $0.model.normalization.rawValue }),
    ("neuron.kind", { $0.neuron.kind.rawValue }),
    ("neuron.tau", { $0.neuron.kind == .if ? "none" : "\($0.neuron.tau)" }),
    ("neuron.threshold", { "\($0.neuron.threshold)" }),
    ("neuron.threshold_rule", { $0.neuron.thresholdRule.rawValue }),
    ("neuron.reset", { $0.neuron.reset.rawValue }),
    ("neuron.levels", { "\($0.neuron.levels)" }),
    ("neuron.firing", { $0.neuron.firing.rawValue }),
  ]

  private static let input: [Fact] = [
    ("model.input_channels", { "\($0.inputChannels)" }),
    ("data.image_size", { "\($0.data.imageSize)" }),
    ("data.normalization", { $0.data.normalization.rawValue }),
    (
      "data.convention",
      { [.cifar10DVS, .frames].contains($0.eventFormat) ? $0.data.convention.rawValue : "none" }
    ),
    ("data.frames", { $0.eventFormat == nil ? "none" : "\($0.frameRule)" }),
    ("data.event_normalization", { $0.data.eventNormalization.rawValue }),
  ]

  private static let course: [Fact] = {
    let special: [Fact] = [
      ("model.classes", { try "\($0.networkSpecification(classes: nil).classes)" }),
      (
        "optimizer.momentum",
        { $0.optimizer.name == .sgd && $0.optimizer.momentum == 0 ? "0" : "a number above 0" }
      ),
    ]
    let fixed: [Fact] = Configuration.keys.filter(\.isFixedInRun).map { key in
      (key.name, { key.yaml($0) ?? "none" })
    }
    return special + fixed
  }()
}

extension TrainedOn {
  init(_ checkpoint: Checkpoint) {
    self.init(
      path: checkpoint.path, classes: checkpoint.state.classes,
      configuration: checkpoint.state.configuration)
  }

  package init(_ model: ModelFile) {
    self.init(path: model.path, classes: model.classes, configuration: model.configuration)
  }

  /// Says what is no longer as it was in training, where that may be meant so.
  func note(_ configuration: Configuration) throws {
    for difference in try differences(from: configuration) {
      warn(
        "\(path) was trained with \(difference.key) \(difference.before), which is now"
          + " \(difference.now)")
    }
  }
}
