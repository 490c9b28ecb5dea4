/// What is measured of an interval of training, or of a whole epoch. Shares are 0 to 1; what is nil was
/// not measured, as where no update of an interval was finite.
public struct MetricsRecord: Equatable, Sendable {
  public enum Kind: String, Sendable {
    /// Some iterations within an epoch, since the last record.
    case interval
    /// An epoch, with its validation.
    case epoch
  }

  public var kind: Kind
  /// Counted from 1.
  public var epoch: Int
  /// Iterations done since the run began.
  public var iteration: Int
  /// Training samples seen since the run began.
  public var samples: Int
  public var trainLoss: Double?
  public var trainAccuracy: Double?
  public var validationLoss: Double?
  public var validationAccuracy: Double?
  public var validationTop5: Double?
  public var learningRate: Double
  /// Spikes for each neuron and time step.
  public var firingRate: Double?
  /// Training throughput of all ranks together.
  public var imagesPerSecond: Double?
  /// Share of the time that the ranks waited for data, on average.
  public var dataWait: Double?
  /// Wall time of the run so far, also before it was resumed, without the time in between.
  public var seconds: Double
  /// Largest resident memory of this rank's process so far, in bytes.
  public var peakRSS: Int
  /// What computed the convolutions of an epoch, in the order of the forward pass.
  public var kernels: [KernelUse] = []

  public init(
    _ kind: Kind, epoch: Int, iteration: Int, samples: Int, trainLoss: Double?,
    trainAccuracy: Double?, validationLoss: Double? = nil, validationAccuracy: Double? = nil,
    validationTop5: Double? = nil, learningRate: Double, firingRate: Double?,
    imagesPerSecond: Double?, dataWait: Double?, seconds: Double, peakRSS: Int
  ) {
    self.kind = kind
    self.epoch = epoch
    self.iteration = iteration
    self.samples = samples
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
    self.validationLoss = validationLoss
    self.validationAccuracy = validationAccuracy
    self.validationTop5 = validationTop5
    self.learningRate = learningRate
    self.firingRate = firingRate
    self.imagesPerSecond = imagesPerSecond
    self.dataWait = dataWait
    self.seconds = seconds
    self.peakRSS = peakRSS
  }

  /// Names and values in the order of the files' columns; nil where nothing was measured.
  private var fields: [(name: String, value: (any FieldValue)?)] {
    [
      ("kind", kind), ("epoch", epoch), ("iteration", iteration), ("samples", samples),
      ("train_loss", trainLoss), ("train_accuracy", trainAccuracy),
      ("validation_loss", validationLoss), ("validation_accuracy", validationAccuracy),
      ("validation_top5", validationTop5), ("learning_rate", learningRate),
      ("firing_rate", firingRate), ("images_per_second", imagesPerSecond), ("data_wait", dataWait),
      ("seconds", seconds), ("peak_rss_bytes", peakRSS),
    ]
  }

  /// One JSON object without a line break; null is what was not measured. An interval has no validation.
  public var json: String {
    var members = fields.filter { kind == .epoch || !$0.name.hasPrefix("validation_") }
      .map { name, value in "\"\(name)\": \(value?.json ?? "null")" }
    if !kernels.isEmpty {
      let layers = kernels.map { "\"\($0.layer)\": \($0.json)" }
      members.append("\"convolutions\": {" + layers.joined(separator: ", ") + "}")
    }
    return "{" + members.joined(separator: ", ") + "}"
  }

  /// One row of CSV, without the convolutions; fields that were not measured are empty.
  public var csv: String {
    fields.map { $0.value?.csv ?? "" }.joined(separator: ",")
  }

  /// The names of the columns of `csv`.
  public static let csvHeader = MetricsRecord(
    .epoch, epoch: 0, iteration: 0, samples: 0, trainLoss: 0, trainAccuracy: 0, learningRate: 0,
    firingRate: 0, imagesPerSecond: 0, dataWait: 0, seconds: 0, peakRSS: 0
  ).fields.map(\.name).joined(separator: ",")
}

private protocol FieldValue {
  var json: String { get }
  var csv: String { get }
}

extension MetricsRecord.Kind: FieldValue {
  fileprivate var json: String { "\"\(rawValue)\"" }
  fileprivate var csv: String { rawValue }
}

extension Int: FieldValue {
  fileprivate var json: String { "\(self)" }
  fileprivate var csv: String { "\(self)" }
}

extension Double: FieldValue {
  /// JSON has no NaN and no infinity.
  fileprivate var json: String { isFinite ? "\(self)" : "null" }
  fileprivate var csv: String { "\(self)" }
}
