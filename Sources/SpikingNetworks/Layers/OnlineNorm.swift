import Tensors

/// Normalisation by running statistics, which hold mean and variance over samples, pixels and time steps (OSR:
/// Zhu et al., "Online stabilization of spiking neural networks", ICLR 2024):
///
///     y = w (x - M) / sqrt(V + ε) + b
///
/// The gradient goes through the statistics of the time step all the same: with x̂ = (x - mean) / sqrt(var + ε),
/// y = w (a x̂ + β) + b, where a = sqrt((var + ε) / (V + ε)) and β = (mean - M) / sqrt(V + ε) are constants.
///
/// Where a of a channel lies outside of 1/20 ... 20, the layer's values at this time step are w x̂ + b, but
/// gradients of x stay as they are. M and V change once an iteration, by the time steps of all ranks.
final class OnlineNorm: Normalization {
  private static let epsilon = 1e-4
  private static let momentum = 0.1
  /// Of a.
  private static let bound = 20.0

  let kind = "online norm"
  let storage: NormalizationStorage
  /// Pixels that were seen since statistics changed, and the sums over them of x - M and of its square.
  private var seen = 0.0
  private let seenSums: ChannelSums
  /// Whether the time step that is being back-propagated had the values w x̂ + b.
  private var usedOwnStatistics = false

  init(_ name: String, channels: Int, _ builder: NetworkBuilder) {
    storage = NormalizationStorage(name, channels: channels, builder)
    seenSums = ChannelSums(channels: channels)
  }

  private var channels: Int { storage.channels }

  func beginSequence() {}

  func forward(_ x: SharedTensor, _ tape: inout Tape) -> ChannelAffine {
    guard tape.isTraining else {
      return runningAffine
    }
    let (moments, channels) = (storage.moments, channels)
    moments.measure(x, around: runningMean.values)
    seen += Double(x.tensor.shape.pixels)
    seenSums.add(moments.sums)
    let (means, variances) = (moments.mean, moments.variance)
    let (mean, runningVariance) = (mean, runningVariance.values)
    var isOutside = false
    var statistics = Tensor(Shape(n: 1, w: 3, c: channels), in: tape.arena)
    for c in 0..<channels {
      let deviation = Self.deviation(variances[c])
      let a = deviation / Self.deviation(Double(runningVariance[c]))
      if !(a >= 1 / Self.bound && a <= Self.bound) { isOutside = true }
      mean[c] = Float(means[c])
      statistics[c] = mean[c]
      statistics[channels + c] = Float(1 / deviation)
    }
    for c in 0..<channels { statistics[2 * channels + c] = isOutside ? 1 : 0 }
    tape.push(statistics)
    return isOutside ? affine { (means[$0], variances[$0]) } : runningAffine
  }

  var runningAffine: ChannelAffine {
    let (mean, variance) = (runningMean.values, runningVariance.values)
    return affine { (Double(mean[$0]), Double(variance[$0])) }
  }

  private static func deviation(_ variance: Double) -> Double {
    (variance + epsilon).squareRoot()
  }

  private func affine(
    _ statistics: (_ c: Int) -> (mean: Double, variance: Double)
  ) -> ChannelAffine {
    let affine = storage.affine
    let (weight, bias, scale, shift) = (weight.values, bias.values, affine.scale, affine.shift)
    for c in 0..<weight.count {
      let (mean, variance) = statistics(c)
      let factor = Double(weight[c]) / Self.deviation(variance)
      scale[c] = Float(factor)
      shift[c] = Float(Double(bias[c]) - mean * factor)
    }
    return affine
  }

  func popStatistics(_ tape: inout Tape) -> NormalizationStatistics {
    let statistics = tape.popTensor()
    usedOwnStatistics = statistics[2 * channels] == 1
    return storage.statistics(from: statistics)
  }

  func backward(
    _ g: inout Tensor, input x: NormalizationInput, statistics: NormalizationStatistics,
    rounding: Bool = false
  ) {
    let (sums, weights, usedOwnStatistics) = (sums, weight.values, usedOwnStatistics)
    let (weightGradient, biasGradient) = (weight.gradient, bias.gradient)
    let (runningMean, runningVariance) = (runningMean.values, runningVariance.values)
    for c in 0..<weights.count {
      let (first, second) = (sums.first(c), sums.second(c))
      biasGradient[c] += Float(first)
      if usedOwnStatistics {
        weightGradient[c] += Float(second * Double(statistics.inverseDeviation[c]))
      } else {
        let offset = Double(statistics.mean[c]) - Double(runningMean[c])
        let deviation = Self.deviation(Double(runningVariance[c]))
        weightGradient[c] += Float((second + offset * first) / deviation)
      }
    }
    storage.backward(&g, input: x, statistics: statistics, rounding: rounding) {
      Double(weights[$0]) / Self.deviation(Double(runningVariance[$0]))
    }
  }

  /// Writes the means over what was seen of x - M and of its square, times this rank's share of the
  /// samples, and forgets them.
  func takeMoments(first: FloatView, second: FloatView, share: Double) {
    for c in 0..<channels {
      first[c] = seen > 0 ? Float(share * seenSums.first(c) / seen) : 0
      second[c] = seen > 0 ? Float(share * seenSums.second(c) / seen) : 0
    }
    seenSums.reset()
    seen = 0
  }

  /// Moves the running statistics by the sums over the ranks of what `takeMoments` wrote.
  func update(first: FloatView, second: FloatView) {
    for c in 0..<channels {
      let offset = Double(first[c])
      let variance = max(0, Double(second[c]) - offset * offset)
      let before = Double(runningVariance.values[c])
      runningMean.values[c] += Float(Self.momentum * offset)
      runningVariance.values[c] += Float(Self.momentum * (variance - before))
    }
  }
}
