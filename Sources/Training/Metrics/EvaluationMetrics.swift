import Distributed
import SpikingNetworks

/// What `evaluate` measures of a split. All but the loss are counts, whose sums over ranks are exact.
struct EvaluationMetrics {
  /// What is measured in validations of training, too.
  var overall: IterationMetrics
  /// Samples by label.
  private(set) var samples: [Int]
  /// Where the greatest logit of a sample is no finite number, it has no prediction.
  private(set) var confusion: Confusion
  /// Samples that the logits of the time steps up to each one classify correctly.
  private(set) var correctAfter: [Int]
  private(set) var calibration = Calibration()

  /// - Parameters:
  ///   - nothing: what is measured of the network before it has run.
  ///   - classes: of the data.
  ///   - outputs: of the network, which may have more.
  init(nothing: IterationMetrics, classes: Int, outputs: Int, timesteps: Int) {
    overall = nothing
    samples = [Int](repeating: 0, count: classes)
    confusion = Confusion(classes: classes, outputs: outputs)
    correctAfter = [Int](repeating: 0, count: timesteps)
  }

  /// Takes note of local samples of which the loss has the logits of the time steps up to `t`.
  mutating func add(_ loss: Loss, after t: Int) {
    correctAfter[t] += loss.correct(amongTop: 1)
  }

  /// Adds a sample.
  mutating func add(_ prediction: Prediction?, label: Int) {
    samples[label] += 1
    guard let prediction else { return }
    let predicted = prediction.label
    confusion.add(label: label, predicted: predicted)
    calibration.add(
      confidence: prediction.probabilities[predicted], isCorrect: predicted == label)
  }

  /// Shares of the samples that the logits of the time steps up to each one, averaged, classify correctly.
  var accuracyAfter: [Double] {
    correctAfter.map { overall.samples > 0 ? Double($0) / overall.samples : 0 }
  }

  /// What all ranks measured. A collective.
  ///
  /// - Parameter sum: adds up metrics over the ranks.
  func together(
    _ communicator: any Communicator, sum: (IterationMetrics) throws -> IterationMetrics
  ) throws -> EvaluationMetrics {
    var all = self
    all.overall = try sum(overall)
    all.samples = try communicator.sum(samples)
    all.confusion = try confusion.together(communicator)
    all.correctAfter = try communicator.sum(correctAfter)
    all.calibration.counts = try communicator.sum(calibration.counts)
    return all
  }
}
