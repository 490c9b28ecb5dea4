/// The fields of `evaluate --json`; shares are 0 to 1.
public struct EvaluationRecord: Encodable, Sendable {
  public let checkpoint: String
  public let data: String
  public let samples: Int
  /// In whose places neighbours counted, with `data.on_bad_sample: skip`.
  public let badSamples: Int
  /// Left out where it is no finite number.
  public let loss: Double?
  public let accuracy: Double
  public let top5: Double
  public let firingRate: Double
  public let firing: [Layer]
  /// With the logits of the time steps up to each one, averaged; the last is `accuracy`.
  public let accuracyByTimestep: [Double]
  public let calibrationError: Double
  public let calibration: [Bin]
  public let classes: [Class]
  /// Names of the columns of `confusion`.
  public let outputs: [String]
  /// Samples by class and output.
  package let confusion: Confusion
  /// Of a sample.
  public let operations: NetworkOperations

  public struct Layer: Encodable, Sendable {
    public let layer: String
    /// Of a sample.
    public let neurons: Int
    /// Neurons that no sample made fire.
    public let silent: Int?
    /// Spikes for each neuron, by time step.
    public let rates: [Double]
  }

  public struct Bin: Encodable, Sendable {
    public let samples: Int
    public let accuracy: Double
    public let confidence: Double
  }

  public struct Class: Encodable, Sendable {
    public let name: String
    public let samples: Int
    public let correct: Int
    public let predicted: Int
    /// Share of its samples that are predicted to be of it; left out where there are none.
    public let accuracy: Double?
    /// Share of the samples predicted to be of it that are; left out where there are none.
    public let precision: Double?

    init(name: String, samples: Int, correct: Int, predicted: Int) {
      (self.name, self.samples, self.correct, self.predicted) = (name, samples, correct, predicted)
      func share(of all: Int) -> Double? { all > 0 ? Double(correct) / Double(all) : nil }
      (accuracy, precision) = (share(of: samples), share(of: predicted))
    }
  }
}
