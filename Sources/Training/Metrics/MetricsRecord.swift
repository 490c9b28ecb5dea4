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
  /// What layers read in an epoch, in the order of the forward pass.
  public var inputRates: [InputRate] = []

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

  /// What a field may hold.
  enum Value {
    case text(String)
    case integer(Int)
    case number(Double)
  }

  /// Names and values in the order of the files' columns; nil where nothing was measured.
  var fields: [(name: String, value: Value?)] {
    func number(_ value: Double?) -> Value? { value.map { .number($0) } }
    return [
      ("kind", .text(kind.rawValue)), ("epoch", .integer(epoch)),
      ("iteration", .integer(iteration)), ("samples", .integer(samples)),
      ("train_loss", number(trainLoss)), ("train_accuracy", number(trainAccuracy)),
      ("validation_loss", number(validationLoss)),
      ("validation_accuracy", number(validationAccuracy)),
      ("validation_top5", number(validationTop5)), ("learning_rate", number(learningRate)),
      ("firing_rate", number(firingRate)), ("images_per_second", number(imagesPerSecond)),
      ("data_wait", number(dataWait)), ("seconds", number(seconds)),
      ("peak_rss_bytes", .integer(peakRSS)),
    ]
  }
}
