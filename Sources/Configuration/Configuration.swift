import Datasets
import SpikingNetworks

/// Everything that determines a training run, as in a configuration file.
///
/// The values here are the defaults: a small network that learns the embedded MNIST images within
/// minutes. `Configuration.keys` gives each value its name, its limits and its documentation.
public struct Configuration: Sendable {
  public var model = Model()
  public var neuron = Neuron()
  public var method = Method()
  public var loss = Loss()
  public var distill = Distillation()
  public var optimizer = Optimizer()
  public var schedule = Schedule()
  public var training = Training()
  public var distributed = Communication()
  public var checkpoint = Checkpointing()
  public var metrics = Metrics()
  public var data = Data()

  /// Where each key that is not at its default was set, for messages.
  var origins: [String: ConfigurationError.Origin] = [:]

  /// The defaults.
  public init() {}
}

extension Configuration: Equatable {
  /// Whether both configure the same run, wherever the values came from.
  public static func == (a: Configuration, b: Configuration) -> Bool {
    keys.allSatisfy { $0.yaml(a) == $0.yaml(b) }
  }
}

extension Configuration {
  /// Every key, in the order of configuration files. Reading, overriding, writing and the listing
  /// of keys all follow from this table.
  public static let keys: [ConfigurationKey] = readable.filter { !$0.isFormer }

  /// With those of earlier versions.
  static let readable: [ConfigurationKey] =
    Model.keys + Neuron.keys + Method.keys + Loss.keys + Distillation.keys + Optimizer.keys
    + Schedule.keys + Training.keys + Communication.keys + Checkpointing.keys + Metrics.keys
    + Data.keys

  /// The sections, in the order of configuration files.
  static let sections: [String] = keys.reduce(into: []) { sections, key in
    if sections.last != String(key.section) {
      sections.append(String(key.section))
    }
  }

  /// How recordings become frames.
  public var frameRule: FrameRule { data.frames ?? .number(method.timesteps, by: .number) }

  /// Samples that go through the network of a rank at once, at most.
  public func samplesAtOnce(ranks: Int) -> Int {
    let local = (training.globalBatch + ranks - 1) / ranks
    return min(training.microBatch ?? local, local)
  }

  /// The same training by another learning rule; SLTT-K trains one time step where none says how many. The
  /// loss stays the same unless the rule has another one.
  ///
  /// - Throws: `ConfigurationError` where the rule is not defined for the network.
  package func learning(by name: Method.Name) throws -> Configuration {
    guard name != method.name else { return self }
    var changed = self
    changed.method.name = name
    changed.method.k = name == .slttK ? method.k ?? 1 : nil
    changed.method.skipsTrailing = name == .slttK && method.skipsTrailing
    changed.loss.kind = lossSpecification.kind
    if (try? changed.validate()) != nil { return changed }
    (changed.loss.kind, changed.loss.stepWeights) = (nil, nil)
    try changed.validate()
    return changed
  }

  /// The value of a key as YAML; nil if it has none.
  public func value(of key: String) -> String? {
    Self.keys.first { $0.name == key }.flatMap { $0.yaml(self) }
  }

  /// Whether a key has the value that it has by default.
  public func isDefault(_ key: String) -> Bool { value(of: key) == Configuration().value(of: key) }
}
