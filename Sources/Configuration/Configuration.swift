import Datasets
import Distributed
import SpikingNetworks
import Support
import Tensors

/// Everything that determines a training run, as in a configuration file.
///
/// The values here are the defaults: a small network that learns the embedded MNIST images within
/// minutes. `Configuration.keys` gives each value its name, its limits and its documentation.
public struct Configuration: Sendable {
  public var model = Model()
  public var neuron = Neuron()
  public var method = Method()
  public var loss = Loss()
  public var optimizer = Optimizer()
  public var schedule = Schedule()
  public var training = Training()
  public var distributed = Communication()
  public var checkpoint = Checkpointing()
  public var data = Data()

  /// Where each key that is not at its default was set, for messages.
  var origins: [String: ConfigurationError.Origin] = [:]

  /// The defaults.
  public init() {}

  public struct Model: Sendable {
    public var architecture: Architecture?
    public var family: NetworkFamily? = .resNet
    public var blocks: [Int]? = [1, 1, 1]
    public var width = 16
    public var classes: Int?
    public var inputChannels: Int?
    public var dropout = 0.0
  }

  public struct Neuron: Sendable {
    public var tau = 1.1
    public var threshold = 1.0
    public var surrogate = SurrogateGradient.Shape.triangle
    public var surrogateWidth: Double?
    public var hasLearnableTau = false
  }

  public struct Method: Sendable {
    /// The learning rules.
    public enum Name: String, CaseIterable, Sendable, Codable {
      /// Spatial learning through time: gradients stay within their time step.
      case sltt
      /// SLTT that back-propagates only K random time steps in each iteration.
      case slttK = "sltt-k"
      /// Back-propagation through time, the baseline.
      case bptt
    }

    public var name = Name.sltt
    public var timesteps = 4
    public var k: Int?
    public var skipsTrailing = false
  }

  public struct Loss: Sendable {
    public var mseWeight = 0.05
    public var mseTarget = LossSpecification.Target.constant
    public var mseMean = 1.0
    public var labelSmoothing = 0.0
  }

  public struct Optimizer: Sendable {
    public enum Name: String, CaseIterable, Sendable {
      case sgd, adamw
    }

    public var name = Name.sgd
    public var learningRate = 0.1
    public var momentum = 0.9
    public var usesNesterov = false
    public var weightDecay = 5e-4
    /// Whether each rank keeps a part of the state.
    public var isSharded = false
  }

  public struct Schedule: Sendable {
    /// How the learning rate falls.
    public enum Name: String, CaseIterable, Sendable {
      case cosine, step, constant
    }

    public var name = Name.cosine
    public var warmupEpochs = 0
    public var stepSize = 30
    public var gamma = 0.1
  }

  public struct Training: Sendable {
    public var epochs = 20
    public var maxIterations: Int?
    public var globalBatch = 50
    /// nil: all of a rank's samples at once.
    public var microBatch: Int?
    public var seed: UInt64 = 2022
    public var precision = Precision.float32
    public var memory = MemoryUse.fast
    public var logEvery = 30

    public enum NonFiniteAction: String, CaseIterable, Sendable {
      case stop, skip, rollback
    }

    public var onNonFinite = NonFiniteAction.stop
    public var checkReplicasEvery = 20
  }

  public struct Communication: Sendable {
    /// Whether gradients are added up over the ranks during the last backward pass.
    public var overlaps = false
    public var wire = WireFormat.float32
  }

  public struct Checkpointing: Sendable {
    public enum ErrorAction: String, CaseIterable, Sendable {
      case stop
      case `continue`
    }

    public var everyIterations: Int?
    public var everyMinutes: Double? = 10
    public var everyEpochs: Int? = 1
    public var keep = 3
    public var onError = ErrorAction.stop
  }

  public struct Data: Sendable {
    public enum Format: String, CaseIterable, Sendable {
      case auto
      case imageFolder = "image-folder"
      case archive
      case shards, cifar10, cifar100
      case nmnist
      case dvsGesture = "dvs-gesture"
      case cifar10DVS = "cifar10-dvs"
      case frames
    }

    public var format = Format.auto
    /// nil: the embedded MNIST images.
    public var path: String?
    public var train = "train"
    /// nil: `val`, `validation` or `test`, whichever is there first.
    public var validation: String?
    public var dropsLast = false
    public var imageSize = 28
    public var augmentation = Augmentation.preset(.shift)
    /// nil: what belongs to the augmentation.
    public var evaluation: Augmentation?
    public var mixing = BatchMixing()
    public var normalization = NormalizationPreset.mnist
    public var convention = EventConvention.spikingJelly
    /// nil: as many frames as time steps, divided by the number of events.
    public var frames: FrameRule?
    public var eventAugmentation = EventAugmentation()
    public var eventNormalization = EventNormalization.none
    public var decoding = ImageDecoding.exact

    public enum Sharding: String, CaseIterable, Sendable {
      case global
      case nodeLocal = "node-local"
    }

    public enum BadSampleAction: String, CaseIterable, Sendable {
      case fail, skip
    }

    public var sharding = Sharding.global
    public var onBadSample = BadSampleAction.fail
    public var maxBadSamples = 100
    public var workers: Int?
  }
}

extension Configuration.Data {
  /// What is done to an image in training or evaluation.
  public func steps(isTraining: Bool) -> [any AugmentationStep] {
    if isTraining { return augmentation.steps }
    if case .steps(let steps)? = evaluation { return steps }
    return (evaluation ?? augmentation).evaluationSteps(imageSize: imageSize)
  }
}

extension Configuration: Equatable {
  /// Whether both configure the same run, wherever the values came from.
  public static func == (a: Configuration, b: Configuration) -> Bool {
    keys.allSatisfy { $0.yaml(a) == $0.yaml(b) }
  }
}

extension Configuration {
  /// The kind of network; nil if none is given.
  public var networkFamily: NetworkFamily? { model.architecture?.family ?? model.family }

  /// How recordings become frames.
  public var frameRule: FrameRule { data.frames ?? .number(method.timesteps, by: .number) }

  /// Samples that go through the network of a rank at once, at most.
  public func samplesAtOnce(ranks: Int) -> Int {
    let local = (training.globalBatch + ranks - 1) / ranks
    return min(training.microBatch ?? local, local)
  }

  /// The same training by another learning rule; SLTT-K trains one step where none says how many.
  package func learning(by name: Method.Name) -> Configuration {
    var changed = self
    changed.method.name = name
    changed.method.k = name == .slttK ? method.k ?? 1 : nil
    changed.method.skipsTrailing = name == .slttK && method.skipsTrailing
    return changed
  }

  /// The value of a key as YAML; nil if it has none.
  public func value(of key: String) -> String? {
    Self.keys.first { $0.name == key }.flatMap { $0.yaml(self) }
  }

  /// Whether a key has the value that it has by default.
  public func isDefault(_ key: String) -> Bool { value(of: key) == Configuration().value(of: key) }
}
