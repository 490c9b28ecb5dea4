import Tensors

/// What every normalisation has: parameters, running statistics, and room for the numbers of a pass.
struct NormalizationStorage {
  let weight: Parameter
  let bias: Parameter
  let runningMean: Parameter
  let runningVariance: Parameter
  /// Where the neuron's backward pass leaves the sums of g and of g (x - mean).
  let sums: ChannelSums
  let moments: Moments
  /// The latest map; in a backward pass, coefficients of it.
  let affine: ChannelAffine
  /// Of each channel of the latest input, or of the one that is being back-propagated.
  let mean: FloatView
  private let inverseDeviation: FloatView
  private let constant: FloatView

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
    (mean, inverseDeviation, constant) = (views[2], views[3], views[4])
  }

  var channels: Int { weight.count }

  /// The means and inverse deviations of a time step, which are the first rows of a tensor.
  func statistics(from tensor: borrowing Tensor) -> NormalizationStatistics {
    for c in 0..<channels {
      mean[c] = tensor[c]
      inverseDeviation[c] = tensor[channels + c]
    }
    return NormalizationStatistics(mean: mean, inverseDeviation: inverseDeviation)
  }

  /// Replaces the gradient g of normalised values by that of the input, which goes through the statistics:
  /// with x̂ = (x - mean) r,
  ///
  ///     dL/dx = w (g - mean g - x̂ mean(g x̂))
  ///
  /// - Parameter outer: w of a channel, dy/dx at fixed statistics.
  func backward(
    _ g: inout Tensor, input x: NormalizationInput, statistics: NormalizationStatistics,
    rounding: Bool, outer: (_ c: Int) -> Double
  ) {
    let (scale, slope) = (affine.scale, affine.shift)
    let count = Double(x.shape.pixels)
    let isCentered = if case .centered = x { true } else { false }
    for c in 0..<channels {
      let mean = isCentered ? 0 : Double(statistics.mean[c])
      let r = Double(statistics.inverseDeviation[c])
      let outer = outer(c)
      let inner = -outer * r * r * sums.second(c) / count
      scale[c] = Float(outer)
      slope[c] = Float(inner)
      constant[c] = Float(-outer * sums.first(c) / count - inner * mean)
    }
    g.combine(a: scale, b: slope, with: x, c: constant, rounding: rounding)
  }
}
