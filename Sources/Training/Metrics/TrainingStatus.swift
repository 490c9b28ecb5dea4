/// How far training is, and how it goes.
public struct TrainingStatus: Sendable {
  /// Counted from 1.
  public var epoch: Int
  public var epochs: Int
  /// Iterations done in this epoch.
  public var iteration: Int
  public var iterationsPerEpoch: Int
  /// Iterations still to do in the run.
  public var remainingIterations: Int
  /// Samples of the iteration just done, over all ranks.
  public var samples: Int
  public var loss: Double
  /// Share of the samples that were classified correctly, 0 to 1.
  public var accuracy: Double
  /// Spikes for each neuron and time step.
  public var firingRate: Double
  /// The same by layer of neurons.
  public var layerRates: [Double]
  /// Seconds that the ranks waited for the iteration's data, on average.
  public var dataWait: Double

  public init(
    epoch: Int, epochs: Int, iteration: Int, iterationsPerEpoch: Int, remainingIterations: Int,
    samples: Int, loss: Double, accuracy: Double, firingRate: Double, layerRates: [Double],
    dataWait: Double
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.iteration = iteration
    self.iterationsPerEpoch = iterationsPerEpoch
    self.remainingIterations = remainingIterations
    self.samples = samples
    self.loss = loss
    self.accuracy = accuracy
    self.firingRate = firingRate
    self.layerRates = layerRates
    self.dataWait = dataWait
  }
}

/// How far a validation is.
struct ValidationStatus {
  /// Counted from 1.
  var epoch: Int
  var epochs: Int
  /// Batches done, over all ranks.
  var batch: Int
  /// Samples done, over all ranks.
  var samples: Int
  /// Those of the split.
  var sampleCount: Int
}
