import SpikingNetworks
import TensorBoard

/// What is measured of an interval of training, or of a whole epoch. Shares are 0 to 1; what is nil was
/// not measured, as where no update of an interval was finite.
public struct MetricsRecord: Equatable, Sendable {
  public enum Kind: String, Sendable, Decodable {
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
  /// Resident memory of this rank's process, in bytes.
  public var rss: Int
  /// Norm of the gradient of all weights together in the last iteration, before it is shortened to
  /// `optimizer.clip_norm`.
  public var gradientNorm: Double?
  /// Seconds of each kind of work of this rank in an epoch's training; of one that was resumed, since then.
  public var phaseSeconds: [StepProfile.Phase: Double] = [:]
  /// What this rank was expected to need, of an epoch.
  public var expectedMemory: MemoryEstimate?
  /// Of a whole epoch.
  public var iterationsPerEpoch: Int?
  /// What computed an epoch, at its end.
  public var resources: RunResources?
  /// Spikes of an epoch's training by layer and time step.
  public var firing: FiringStatistics?
  /// Those of its validation, and how many neurons never fired in that.
  public var validationFiring: FiringStatistics?
  /// How weights, gradients and membrane potentials are distributed after an epoch, by TensorBoard's tags.
  public var histograms: [String: Histogram] = [:]
  /// What computed the convolutions of an epoch, in the order of the forward pass.
  public var kernels: [KernelUse] = []
  /// What layers read in an epoch, in the order of the forward pass.
  public var inputRates: [InputRate] = []

  public init(
    _ kind: Kind, epoch: Int, iteration: Int, samples: Int, trainLoss: Double?,
    trainAccuracy: Double?, validationLoss: Double? = nil, validationAccuracy: Double? = nil,
    validationTop5: Double? = nil, learningRate: Double, firingRate: Double?,
    imagesPerSecond: Double?, dataWait: Double?, seconds: Double, peakRSS: Int, rss: Int,
    gradientNorm: Double?
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
    self.rss = rss
    self.gradientNorm = gradientNorm
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
      ("peak_rss_bytes", .integer(peakRSS)), ("rss_bytes", .integer(rss)),
      ("gradient_norm", number(gradientNorm)),
    ]
  }
}
