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
  private var firstSums: [Double]
  private var secondSums: [Double]
  /// Whether the time step that is being back-propagated had the values w x̂ + b.
  private var usedOwnStatistics = false

  init(_ name: String, channels: Int, _ builder: NetworkBuilder) {
    storage = NormalizationStorage(name, channels: channels, builder)
    firstSums = [Double](repeating: 0, count: channels)
    secondSums = firstSums
  }

  private var channels: Int { storage.channels }

  func beginSequence() {}

  func forward(_ x: SharedTensor, _ tape: inout Tape) -> ChannelAffine {
    guard tape.isTraining else {
      return runningAffine
    }
    let moments = storage.moments
    moments.measure(x, around: runningMean.values)
    let count = Double(x.tensor.shape.pixels)
    seen += count
    var isOutside = false
    var statistics = Tensor(Shape(n: 1, w: 3, c: channels), in: tape.arena)
    for c in 0..<channels {
      let (mean, variance) = (moments.mean[c], moments.variance[c])
      let offset = mean - Double(runningMean.values[c])
      firstSums[c] += count * offset
      secondSums[c] += count * (variance + offset * offset)
      let deviation = (variance + Self.epsilon).squareRoot()
      let a = deviation / runningDeviation(c)
      if !(1 / Self.bound...Self.bound).contains(a) { isOutside = true }
      self.mean[c] = Float(mean)
      statistics[c] = Float(mean)
      statistics[channels + c] = Float(1 / deviation)
    }
    for c in 0..<channels { statistics[2 * channels + c] = isOutside ? 1 : 0 }
    tape.push(statistics)
    guard isOutside else { return runningAffine }
    return affine(mean: { moments.mean[$0] }) {
      (moments.variance[$0] + Self.epsilon).squareRoot()
    }
  }

  var runningAffine: ChannelAffine {
    affine(mean: { Double(self.runningMean.values[$0]) }, deviation: runningDeviation)
  }

  private func runningDeviation(_ c: Int) -> Double {
    (Double(runningVariance.values[c]) + Self.epsilon).squareRoot()
  }

  private func affine(
    mean: (_ c: Int) -> Double, deviation: (_ c: Int) -> Double
  ) -> ChannelAffine {
    let affine = storage.affine
    for c in 0..<channels {
      let scale = Double(weight.values[c]) / deviation(c)
      affine.scale[c] = Float(scale)
      affine.shift[c] = Float(Double(bias.values[c]) - mean(c) * scale)
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
    for c in 0..<channels {
      let (first, second) = (sums.first(c), sums.second(c))
      bias.gradient[c] += Float(first)
      if usedOwnStatistics {
        weight.gradient[c] += Float(second * Double(statistics.inverseDeviation[c]))
      } else {
        let offset = Double(statistics.mean[c]) - Double(runningMean.values[c])
        weight.gradient[c] += Float((second + offset * first) / runningDeviation(c))
      }
    }
    storage.backward(&g, input: x, statistics: statistics, rounding: rounding) {
      Double(self.weight.values[$0]) / self.runningDeviation($0)
    }
  }

  /// Writes the means over what was seen of x - M and of its square, times this rank's share of the
  /// samples, and forgets them.
  func takeMoments(first: FloatView, second: FloatView, share: Double) {
    for c in 0..<channels {
      first[c] = seen > 0 ? Float(share * firstSums[c] / seen) : 0
      second[c] = seen > 0 ? Float(share * secondSums[c] / seen) : 0
      (firstSums[c], secondSums[c]) = (0, 0)
    }
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
