import Tensors

/// Batch normalisation over samples and pixels (Ioffe and Szegedy, ICML 2015), at each time step anew.
///
/// It computes only the affine map of each channel; the neuron that follows applies it in its own pass
/// over memory. Input [N, H, W, C].
final class BatchNorm {
  private static let epsilon = 1e-5
  private static let momentum: Float = 0.1

  let name: String
  let weight: Parameter
  let bias: Parameter
  let runningMean: Parameter
  let runningVariance: Parameter
  let sums: ChannelSums
  private let moments: Moments
  private let affine: ChannelAffine
  private let coefficients: [FloatView]

  init(_ name: String, channels: Int, _ builder: NetworkBuilder) {
    self.name = name
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

  /// Of each channel of the latest input, or of the one that is being back-propagated.
  var mean: FloatView { coefficients[0] }

  /// The map that normalises `x`, valid until the next call. In training it comes from the statistics
  /// of `x`, which go to the tape and into the running ones; in evaluation from the running ones.
  func forward(_ x: SharedTensor, _ tape: inout Tape) -> ChannelAffine {
    let (runningMean, runningVariance) = (runningMean.values, runningVariance.values)
    guard tape.isTraining else {
      setAffine { (runningMean[$0], Double(runningVariance[$0])) }
      return affine
    }
    moments.measure(x, around: runningMean)
    let count = Double(x.tensor.shape.pixels)
    precondition(
      count > 1, "a single value has no variance; NetworkSpecification refuses such images")
    var statistics = Tensor(Shape(n: 1, w: 2, c: channels), in: tape.arena)
    let (channels, means, moments) = (channels, mean, moments)
    for c in 0..<channels {
      let mean = moments.mean[c]
      let variance = moments.variance[c]
      means[c] = Float(mean)
      statistics[c] = Float(mean)
      statistics[channels + c] = Float(1 / (variance + Self.epsilon).squareRoot())
      runningMean[c] += Self.momentum * Float(mean - Double(runningMean[c]))
      let unbiased = Float(variance * count / (count - 1))
      runningVariance[c] += Self.momentum * (unbiased - runningVariance[c])
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

  /// The means that `sums` must be taken around before `backward`: those of the time step, off the
  /// tape.
  func popStatistics(_ tape: inout Tape) -> (mean: FloatView, inverseDeviation: FloatView) {
    let statistics = tape.popTensor()
    let (channels, mean, inverseDeviation) = (channels, mean, coefficients[1])
    for c in 0..<channels {
      mean[c] = statistics[c]
      inverseDeviation[c] = statistics[channels + c]
    }
    return (mean, inverseDeviation)
  }

  /// Replaces the gradient g of the normalised values by that of the input x, given `sums` of g and of
  /// g (x - mean):
  ///
  ///     x̂ = (x - mean) r,  y = w x̂ + b
  ///     dL/dx = w r (g - mean g - x̂ mean(g x̂))
  ///
  /// - Parameter rounding: whether a convolution will want the result in bfloat16 as well.
  func backward(
    _ g: inout Tensor, input x: NormalizationInput,
    statistics: (mean: FloatView, inverseDeviation: FloatView), rounding: Bool = false
  ) {
    let (scale, slope, constant) = (affine.scale, affine.shift, coefficients[2])
    let count = Double(x.shape.pixels)
    let isCentered = if case .centered = x { true } else { false }
    let (weights, sums) = (weight.values, sums)
    let (weightGradient, biasGradient) = (weight.gradient, bias.gradient)
    for c in 0..<channels {
      let mean = isCentered ? 0 : Double(statistics.mean[c])
      let r = Double(statistics.inverseDeviation[c])
      biasGradient[c] += Float(sums.first(c))
      weightGradient[c] += Float(sums.second(c) * r)
      let outer = Double(weights[c]) * r
      let inner = -outer * r * r * sums.second(c) / count
      scale[c] = Float(outer)
      slope[c] = Float(inner)
      constant[c] = Float(-outer * sums.first(c) / count - inner * mean)
    }
    g.combine(a: scale, b: slope, with: x, c: constant, rounding: rounding)
  }
}

/// Mean and variance of each channel of the latest input. The stem's output for a static image comes
/// again at every time step, and is measured once.
private final class Moments {
  private(set) var mean: [Double]
  /// Biased.
  private(set) var variance: [Double]
  private let sums: ChannelSums
  private weak var measured: SharedTensor?

  init(channels: Int) {
    mean = [Double](repeating: 0, count: channels)
    variance = mean
    sums = ChannelSums(channels: channels)
  }

  /// - Parameter pivot: sums around a value near the mean keep their precision where that is far from 0.
  func measure(_ x: SharedTensor, around pivot: FloatView) {
    guard x !== measured else { return }
    measured = x
    sums.takeMoments(of: x.tensor, around: pivot)
    let count = Double(x.tensor.shape.pixels)
    for c in mean.indices {
      let offset = sums.first(c) / count
      mean[c] = Double(pivot[c]) + offset
      variance[c] = max(0, sums.second(c) / count - offset * offset)
    }
  }
}
