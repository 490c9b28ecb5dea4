import Tensors

/// A normalisation of each channel over samples and pixels. It computes only the affine map of each channel;
/// the neuron that follows applies it in its own pass over memory. Input [N, H, W, C].
protocol Normalization: AnyObject {
  /// For people.
  var kind: String { get }
  var weight: Parameter { get }
  var bias: Parameter { get }
  /// Where the neuron's backward pass leaves the sums of g and of g (x - mean).
  var sums: ChannelSums { get }
  /// Of each channel of the latest input, or of the one that is being back-propagated.
  var mean: FloatView { get }

  /// A new sequence of time steps starts.
  func beginSequence()

  /// The map that normalises `x`, valid until the next call. In training, what the backward pass needs goes
  /// to the tape.
  func forward(_ x: SharedTensor, _ tape: inout Tape) -> ChannelAffine

  /// The statistics of the time step, off the tape, around whose means `sums` must be taken before
  /// `backward`.
  func popStatistics(_ tape: inout Tape) -> NormalizationStatistics

  /// Replaces the gradient g of the normalised values by that of the input x, given `sums`; adds to the
  /// parameters' gradients.
  ///
  /// - Parameter rounding: whether a convolution will want the result in bfloat16 as well.
  func backward(
    _ g: inout Tensor, input x: NormalizationInput, statistics: NormalizationStatistics,
    rounding: Bool)
}

/// Mean and 1/deviation of each channel.
struct NormalizationStatistics {
  var mean: FloatView
  var inverseDeviation: FloatView
}

extension NormalizationStatistics {
  /// The gradient of normalised values goes through the statistics: from g, with x̂ = (x - mean) r,
  ///
  ///     dL/dx = w (g - mean g - x̂ mean(g x̂))
  ///
  /// - Parameters:
  ///   - outer: w of a channel, dy/dx at fixed statistics.
  ///   - sums: of g and of g (x - mean).
  ///   - coefficients: room for three numbers a channel.
  func backward(
    _ g: inout Tensor, input x: NormalizationInput, sums: ChannelSums, rounding: Bool,
    coefficients: [FloatView], outer: (_ c: Int) -> Double
  ) {
    let (scale, slope, constant) = (coefficients[0], coefficients[1], coefficients[2])
    let count = Double(x.shape.pixels)
    let isCentered = if case .centered = x { true } else { false }
    for c in 0..<mean.count {
      let mean = isCentered ? 0 : Double(mean[c])
      let r = Double(inverseDeviation[c])
      let outer = outer(c)
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
final class Moments {
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
    precondition(
      count > 1, "a single value has no variance; NetworkSpecification refuses such images")
    for c in mean.indices {
      let offset = sums.first(c) / count
      mean[c] = Double(pivot[c]) + offset
      variance[c] = max(0, sums.second(c) / count - offset * offset)
    }
  }
}
