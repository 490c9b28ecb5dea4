import Tensors

/// Batch normalisation over samples and pixels (Ioffe and Szegedy, ICML 2015), at each time step anew.
final class BatchNorm: Normalization {
  private static let epsilon = 1e-5
  private static let momentum: Float = 0.1

  let kind = "bn"
  let storage: NormalizationStorage
  /// The mean over the time steps of 1 / (variance + epsilon), where averages are taken.
  private var meanPrecision: [Double] = []

  init(_ name: String, channels: Int, _ builder: NetworkBuilder) {
    storage = NormalizationStorage(name, channels: channels, builder)
  }

  func beginSequence() { meanPrecision = [] }

  /// In training the map comes from the statistics of `x`, which go to the tape and into the running ones; in
  /// evaluation from the running ones.
  ///
  /// In the pass through averages, x is the mean input of the time steps. What deviations are then divided by
  /// has the value of the time steps, and the gradient of the mean input's own variance (Yu et al., NeurIPS
  /// 2024).
  func forward(_ x: SharedTensor, _ tape: inout Tape) -> ChannelAffine {
    let (runningMean, runningVariance) = (runningMean.values, runningVariance.values)
    let (channels, means, moments) = (storage.channels, mean, storage.moments)
    guard tape.isTraining else { return runningAffine }
    moments.measure(x, around: runningMean)
    let (batchMeans, batchVariances) = (moments.mean, moments.variance)
    let count = Double(x.tensor.shape.pixels)
    var statistics = Tensor(Shape(n: 1, w: 2, c: channels), in: tape.arena)
    let isPassing = tape.averaging == .passing
    for c in 0..<channels {
      let (mean, variance) = (batchMeans[c], batchVariances[c])
      let precision = isPassing ? meanPrecision[c] : 1 / (variance + Self.epsilon)
      means[c] = Float(mean)
      statistics[c] = Float(mean)
      statistics[channels + c] = Float(precision.squareRoot())
      guard !isPassing else { continue }
      runningMean[c] += Self.momentum * Float(mean - Double(runningMean[c]))
      let unbiased = Float(variance * count / (count - 1))
      runningVariance[c] += Self.momentum * (unbiased - runningVariance[c])
    }
    if case .gathering(let timesteps)? = tape.averaging {
      if meanPrecision.isEmpty { meanPrecision = [Double](repeating: 0, count: channels) }
      for c in 0..<channels {
        meanPrecision[c] += 1 / (batchVariances[c] + Self.epsilon) / Double(timesteps)
      }
    }
    tape.push(statistics)
    return affine { (means[$0], batchVariances[$0]) }
  }

  var runningAffine: ChannelAffine {
    let (mean, variance) = (runningMean.values, runningVariance.values)
    return affine { (mean[$0], Double(variance[$0])) }
  }

  private func affine(
    _ statistics: (_ c: Int) -> (mean: Float, variance: Double)
  ) -> ChannelAffine {
    let affine = storage.affine
    let (weight, bias, scale, shift) = (weight.values, bias.values, affine.scale, affine.shift)
    for c in 0..<weight.count {
      let (mean, variance) = statistics(c)
      scale[c] = weight[c] * Float(1 / (variance + Self.epsilon).squareRoot())
      shift[c] = bias[c] - mean * scale[c]
    }
    return affine
  }

  func popStatistics(_ tape: inout Tape) -> NormalizationStatistics {
    storage.statistics(from: tape.popTensor())
  }

  /// With x̂ = (x - mean) r, y = w x̂ + b:
  ///
  ///     dL/dx = w r (g - mean g - x̂ mean(g x̂))
  func backward(
    _ g: inout Tensor, input x: NormalizationInput, statistics: NormalizationStatistics,
    rounding: Bool = false
  ) {
    let (weights, sums, r) = (weight.values, sums, statistics.inverseDeviation)
    let (weightGradient, biasGradient) = (weight.gradient, bias.gradient)
    for c in 0..<storage.channels {
      biasGradient[c] += Float(sums.first(c))
      weightGradient[c] += Float(sums.second(c) * Double(r[c]))
    }
    storage.backward(&g, input: x, statistics: statistics, rounding: rounding) {
      Double(weights[$0]) * Double(r[$0])
    }
  }
}
