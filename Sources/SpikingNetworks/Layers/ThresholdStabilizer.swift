import Tensors

/// Moves the threshold of a layer with its membrane potentials, over all samples and neurons of a time step
/// (OTS: Zhu et al., "Online stabilization of spiking neural networks", ICLR 2024):
///
///     θ[t] = mean u[t] + std u[t] (θ[0] - mean u[0]) / std u[0]        std: unbiased
///
/// As long as all potentials of the layer are the same, as where nothing has fired before it, there is no spread
/// to follow: the threshold is θ[0], and the first time step that has a spread stands for 0.
///
/// No gradient flows through it. What a sample fires depends on those that share its batch.
final class ThresholdStabilizer {
  private let sums: ChannelSums
  private let zeros: FloatView
  /// (θ[0] - mean u[0]) / std u[0]
  private var ratio: Double?

  init(channels: Int) {
    sums = ChannelSums(channels: channels)
    zeros = FlatBuffer(count: channels).all
    zeros.fill(0)
  }

  func beginSequence() { ratio = nil }

  /// θ[t] for u[t].
  ///
  /// - Parameter first: θ[0].
  func threshold(of membrane: Membrane, first: Float) -> Float {
    sums.takeMoments(of: membrane.potential.tensor, around: zeros)
    let count = Double(membrane.shape.count)
    let (sum, squares) = (0..<membrane.shape.c).reduce((0.0, 0.0)) {
      ($0.0 + sums.first($1), $0.1 + sums.second($1))
    }
    let mean = sum / count
    let deviation = (max(0, squares - sum * mean) / max(1, count - 1)).squareRoot()
    guard let ratio else {
      if deviation > 0 { ratio = (Double(first) - mean) / deviation }
      return first
    }
    return Float(mean + deviation * ratio)
  }
}
