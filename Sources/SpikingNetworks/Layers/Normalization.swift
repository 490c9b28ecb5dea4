import Tensors

/// A normalisation of each channel over samples and pixels. It computes only the affine map of each channel;
/// the neuron that follows applies it in its own pass over memory. Input [N, H, W, C].
protocol Normalization: AnyObject {
  /// For people.
  var kind: String { get }
  var storage: NormalizationStorage { get }

  /// A new sequence of time steps starts.
  func beginSequence()

  /// The map that normalises `x`, valid until the next call. In training, what the backward pass needs goes
  /// to the tape.
  func forward(_ x: SharedTensor, _ tape: inout Tape) -> ChannelAffine

  /// The map that normalises by the running statistics, as in evaluation, valid until the next call of this
  /// or of `forward`.
  var runningAffine: ChannelAffine { get }

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

extension Normalization {
  var weight: Parameter { storage.weight }
  var bias: Parameter { storage.bias }
  var runningMean: Parameter { storage.runningMean }
  var runningVariance: Parameter { storage.runningVariance }
  var sums: ChannelSums { storage.sums }
  var mean: FloatView { storage.mean }
}

/// Mean and variance of each channel of the latest input. The stem's output for a static image comes
/// again at every time step, and is measured once.
final class Moments {
  private(set) var mean: [Double]
  /// Biased.
  private(set) var variance: [Double]
  /// Of the latest input's difference from the pivot, and of its square.
  let sums: ChannelSums
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
    // The classes' own arrays would be checked for other users at each channel.
    let sums = sums
    mean.withUnsafeMutableBufferPointer { mean in
      variance.withUnsafeMutableBufferPointer { variance in
        for c in mean.indices {
          let offset = sums.first(c) / count
          mean[c] = Double(pivot[c]) + offset
          variance[c] = max(0, sums.second(c) / count - offset * offset)
        }
      }
    }
  }
}
