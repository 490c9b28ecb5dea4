import Datasets
import SpikingNetworks

/// The samples of a split to whose own class a network gives the least probability.
public final class WorstSamples {
  public struct Sample {
    public let picture: SamplePicture
    /// Positions in the list of classes.
    public let label, prediction: Int
    /// Of the prediction, 0 to 1.
    public let confidence: Double
    /// Of the sample's own class.
    let probability: Double
  }

  private let most: Int
  /// The worst first.
  public private(set) var samples: [Sample] = []

  /// - Parameter most: how many are kept.
  public init(most: Int) { self.most = most }

  /// Keeps a sample of a batch if it is one of the worst so far.
  func look(
    at batch: Batch, _ sample: Int, label: Int, _ prediction: Prediction?,
    normalization: NormalizationPreset, imageSize: Int
  ) {
    guard let prediction else { return }
    let probabilities = prediction.probabilities
    let probability = probabilities[label]
    // Of equal ones those that came first stay.
    let position = samples.firstIndex { probability < $0.probability } ?? samples.count
    guard position < most else { return }
    let picture = SamplePicture(batch, sample, normalization: normalization, size: imageSize)
    samples.insert(
      Sample(
        picture: picture, label: label, prediction: prediction.label,
        confidence: probabilities[prediction.label], probability: probability), at: position)
    if samples.count > most { samples.removeLast() }
  }
}
