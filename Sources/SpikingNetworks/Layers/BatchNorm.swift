import Tensors

/// Batch normalisation over samples and pixels (Ioffe and Szegedy, ICML 2015), at each time step anew.
final class BatchNorm: Normalization {
  private static let epsilon = 1e-5
  private static let momentum: Float = 0.1

  let kind = "bn"
  let weight: Parameter
  let bias: Parameter
  let runningMean: Parameter
  let runningVariance: Parameter
  let sums: ChannelSums
  private let moments: Moments
  private let affine: ChannelAffine
  private let coefficients: [FloatView]
  /// The mean over the time steps of 1 / (variance + epsilon), where averages are taken.
  private var meanPrecision: [Double] = []

  init(_ name: String, channels: Int, _ builder: NetworkBuilder) {
    weight = builder.parameter(name + ".weight", [channels], .constant(1))
    bias = builder.parameter(name + ".bias", [channels], .constant(0))
    runningMean = builder.statistic(name + ".running_mean", count: channels, .constant(0))
    runningVariance = builder.statistic(
      name + ".running_var", count: channels, .constant(1), atLeast: 0)
    sums = ChannelSums(channels: channels)
    moments = Moments(channels: channels)
    let buffer = FlatBuffer(count: 5 * channels)
    let views = (0..<5).map { buffer[$0 * channels..<($0 + 1) * channels] }
    affine = ChannelAffine(scale: views[0], shift: views[1])
    coefficients = Array(views[2...])
  }

  private var channels: Int { weight.count }

  var mean: FloatView { coefficients[0] }

  func beginSequence() { meanPrecision = [] }

  /// In training the map comes from the statistics of `x`, which go to the tape and into the running ones; in
  /// evaluation from the running ones.
  ///
  /// In the pass through averages, x is the mean input of the time steps. What deviations are then divided by
  /// has the value of the time steps, and the gradient of the mean input's own variance (Yu et al., NeurIPS
  /// 2024).
  func forward(_ x: SharedTensor, _ tape: inout Tape) -> ChannelAffine {
    let (runningMean, runningVariance) = (runningMean.values, runningVariance.values)
    guard tape.isTraining else {
      setAffine { (runningMean[$0], Double(runningVariance[$0])) }
      return affine
    }
    moments.measure(x, around: runningMean)
    let count = Double(x.tensor.shape.pixels)
    var statistics = Tensor(Shape(n: 1, w: 2, c: channels), in: tape.arena)
    let (channels, means, moments) = (channels, mean, moments)
    let isPassing = tape.averaging == .passing
    for c in 0..<channels {
      let (mean, variance) = (moments.mean[c], moments.variance[c])
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
        meanPrecision[c] += 1 / (moments.variance[c] + Self.epsilon) / Double(timesteps)
      }
    }
    setAffine { (means[$0], moments.variance[$0]) }
    tape.push(statistics)
    return affine
  }

  private func setAffine(_ statistics: (_ c: Int) -> (mean: Float, variance: Double)) {
    let (weight, bias, scale, shift) = (weight.values, bias.values, affine.scale, affine.shift)
    for c in 0..<weight.count {
      let (mean, variance) = statistics(c)
      scale[c] = weight[c] * Float(1 / (variance + Self.epsilon).squareRoot())
      shift[c] = bias[c] - mean * scale[c]
    }
  }

  func popStatistics(_ tape: inout Tape) -> NormalizationStatistics {
    let statistics = tape.popTensor()
    let (channels, mean, inverseDeviation) = (channels, mean, coefficients[1])
    for c in 0..<channels {
      mean[c] = statistics[c]
      inverseDeviation[c] = statistics[channels + c]
    }
    return NormalizationStatistics(mean: mean, inverseDeviation: inverseDeviation)
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
    for c in 0..<channels {
      biasGradient[c] += Float(sums.first(c))
      weightGradient[c] += Float(sums.second(c) * Double(r[c]))
    }
    statistics.backward(
      &g, input: x, sums: sums, rounding: rounding,
      coefficients: [affine.scale, affine.shift, coefficients[2]]
    ) { Double(weights[$0]) * Double(r[$0]) }
  }
}
