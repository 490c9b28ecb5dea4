/// Where a run stands.
public struct RunPosition: Codable, Equatable, Sendable {
  /// Epochs done.
  public var epoch = 0
  /// Iterations done since the run's start.
  public var iteration = 0
  /// Samples seen since the run's start.
  public var samples = 0
  /// The iteration after which the validation split was last measured; 0: never.
  public var validatedIteration = 0
  /// Share of the validation samples classified correctly, 0 to 1; nil where the latest epoch had no
  /// validation.
  public var validationAccuracy: Double?
  /// How many these are; nil also in earlier checkpoints.
  public var validationSamples: Int?
  /// The greatest of the run so far.
  public var bestAccuracy: Double?
  /// What the epoch has measured so far.
  public var epochMetrics = IterationMetrics()
  /// Shares of convolutions' inputs that were spikes in the latest epoch, by layer; nil before its end.
  public var inputDensities: [String: Double]?
  /// Spikes for each element of layers' inputs and time step in the latest epoch, by layer; nil before its
  /// end, and in earlier checkpoints.
  public var inputRates: [String: Double]?
  /// Seconds that its training has taken so far.
  public var epochSeconds = 0.0
  /// What was measured since the latest record of an interval, and in how many seconds; nil in earlier
  /// checkpoints.
  public var intervalMetrics: IterationMetrics?
  public var intervalSeconds: Double?
  /// Seconds that the run has taken so far; nil in checkpoints of version 1.
  public var seconds: Double?

  /// Whether the weights as they are have been measured.
  var isValidated: Bool { validatedIteration == iteration }

  /// Enters how an epoch ended. What it measured stays where its weights are still to be validated, so that
  /// a run that goes on from here can do that.
  ///
  /// - Parameters:
  ///   - validation: of the weights; nil where none was due.
  ///   - densities: shares of the convolutions' inputs that were spikes in the epoch, by layer.
  ///   - rates: spikes for each element of layers' inputs and time step in the epoch, by layer.
  /// - Returns: whether the weights were measured, and none of the run were better.
  mutating func close(
    _ validation: IterationMetrics?, densities: [String: Double], rates: [String: Double],
    iterationsPerEpoch: Int
  ) -> Bool {
    validationAccuracy = validation?.accuracy
    validationSamples = validation.map { Int($0.samples) }
    (inputDensities, inputRates) = (densities, rates)
    epoch = iteration / iterationsPerEpoch
    guard let validation else { return false }
    let isBest = validation.accuracy > bestAccuracy ?? -1
    if isBest { bestAccuracy = validation.accuracy }
    validatedIteration = iteration
    if iteration % iterationsPerEpoch == 0 { beginEpoch() }
    return isBest
  }

  /// Forgets what the epoch before has measured.
  mutating func beginEpoch() {
    (epochMetrics, epochSeconds) = (IterationMetrics(), 0)
    beginInterval()
  }

  /// Forgets what the interval before has measured.
  mutating func beginInterval() { (intervalMetrics, intervalSeconds) = (IterationMetrics(), 0) }

  /// Enters what an iteration has measured.
  mutating func add(_ metrics: IterationMetrics) {
    epochMetrics.add(metrics)
    var interval = intervalMetrics ?? IterationMetrics()
    intervalMetrics = nil
    interval.add(metrics)
    intervalMetrics = interval
  }

  /// Enters seconds of training.
  mutating func add(seconds: Double) {
    epochSeconds += seconds
    intervalSeconds = (intervalSeconds ?? 0) + seconds
  }

  public init(epoch: Int = 0, iteration: Int = 0, samples: Int = 0) {
    (self.epoch, self.iteration, self.samples) = (epoch, iteration, samples)
  }
}
