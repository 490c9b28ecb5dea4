import Tensors

/// A convolution whose weights are standardised per output channel and scaled by fan-in and a learnt
/// gain (Brock et al., "Characterizing signal propagation to close the performance gap in unnormalized
/// ResNets", ICLR 2021).
///
///     w' = g (w - mean w) / sqrt(fanIn var w + 1e-4)        var: unbiased
///     y = outputGain (x * w' + bias)
///
/// The output gain (the skip gain of a residual branch) is folded into the weights, so that it costs no
/// pass over activations and its gradient needs no saved output:
/// `dL/d outputGain = <x * w' + bias, dL/dy> = <w', dL/dw'|outputGain=1> + <bias, dL/dbias|outputGain=1>`.
final class ScaledWSConvolution2D: ConvolutionLayer {
  /// A learnt scalar times a constant.
  struct OutputGain {
    let parameter: Parameter
    let factor: Float
    var value: Float { parameter.values[0] * factor }
  }

  private static let epsilon = 1e-4

  let name: String
  let weight: Parameter
  let bias: Parameter
  let gain: Parameter
  private let outputGain: OutputGain?
  let convolution: ObservedConvolution
  let input: LayerInput
  /// From the weights to w', and the bias, both times the output gain.
  private let standardization: ChannelAffine
  private let effectiveBias: FloatView
  private let sums: ChannelSums
  /// Per output channel: mean and 1 / sqrt(fanIn var + epsilon) of the weights.
  private let mean: FloatView
  private let inverseScale: FloatView
  /// dL/dw' by the spikes themselves, where the gradient of the weights meets their trace: the output gain
  /// has no trace.
  private var untraced: FlatBuffer?
  /// Whether the weights' gradient meets traces since it was last complete: the next learning rule may have
  /// none.
  private var meetsTraces = false
  /// Per output channel: coefficients of a pass over the weights.
  private let coefficients: [FloatView]

  init(
    _ name: String, input shape: Shape, outputs: Int, _ window: SlidingWindow,
    outputGain: OutputGain? = nil, reads input: LayerInput = .init(.spikes),
    _ builder: NetworkBuilder
  ) {
    self.name = name
    self.input = input
    convolution = builder.convolution(
      name, input: shape, outputs: outputs, window, readsSpikes: input.isSpikes)
    weight = convolution.weightParameter(name + ".weight", builder)
    bias = builder.parameter(name + ".bias", [outputs], .constant(0))
    gain = builder.parameter(name + ".gain", [outputs, 1, 1, 1], .constant(1))
    self.outputGain = outputGain
    sums = ChannelSums(channels: outputs)
    let channels = FlatBuffer(count: 8 * outputs)
    let views = (0..<8).map { channels[$0 * outputs..<($0 + 1) * outputs] }
    standardization = ChannelAffine(scale: views[0], shift: views[1])
    (effectiveBias, mean, inverseScale) = (views[2], views[3], views[4])
    coefficients = Array(views[5...])
  }

  private var fanIn: Double { Double(weight.count / bias.count) }

  var weights: ConvolutionWeights { ConvolutionWeights(weight.values, standardization) }
  var biases: FloatView? { effectiveBias }
  var biasGradient: FloatView? { bias.gradient }

  /// Takes the weights' moments, from which those who pack weights standardise them.
  func weightsDidChange() {
    let (scale, shift, zeros) = (standardization.scale, standardization.shift, coefficients[0])
    zeros.fill(0)
    sums.takeMoments(ofRows: weight.values, around: zeros)
    let outputGain = outputGain?.value ?? 1
    for c in 0..<bias.count {
      let mean = sums.first(c) / fanIn
      let variance = (sums.second(c) - sums.first(c) * mean) / (fanIn - 1)
      self.mean[c] = Float(mean)
      inverseScale[c] = Float(1 / (variance * fanIn + Self.epsilon).squareRoot())
      scale[c] = inverseScale[c] * gain.values[c] * outputGain
      shift[c] = -Float(mean) * scale[c]
      effectiveBias[c] = bias.values[c] * outputGain
    }
    convolution.weightsDidChange()
  }

  func save(_ x: consuming Signal, _ tape: inout Tape) {
    if outputGain != nil && tape.isTracing { tape.pushInput(x.shared()) }
    tape.pushInput(x, of: self)
  }

  func backwardWeights(_ gy: borrowing Tensor, from tape: inout Tape) {
    backwardWeights(gy, input: tape.popInput())
    guard outputGain != nil && tape.isTracing else { return }
    let gradient = untraced ?? FlatBuffer(count: weight.count)
    if untraced == nil { gradient.all.fill(0) }
    untraced = gradient
    meetsTraces = true
    switch tape.popInput() {
    case .floats(let x):
      convolution.backwardWeights(x.tensor, gy, into: gradient.all, bias: nil)
    case .spikes(let x): convolution.backwardWeights(x, gy, into: gradient.all, bias: nil)
    }
  }

  /// Goes from the gradients of w' (with an output gain of 1) to those of the parameters:
  /// with G = dL/dw', h = 1 / sqrt(fanIn var w + epsilon), P = sum G (w - mean w),
  ///
  ///     dL/dw = g h (G - mean G - h² fanIn / (fanIn - 1) P (w - mean w))
  ///     dL/dg = h P
  func completeGradients() {
    completeOutputGain()
    let (a, b, constant) = (coefficients[0], coefficients[1], coefficients[2])
    sums.takeProducts(ofRows: weight.gradient, with: weight.values, mean: mean)
    let outputGain = outputGain?.value ?? 1
    for c in 0..<bias.count {
      let (sum, product, h) = (sums.first(c), sums.second(c), Double(inverseScale[c]))
      let scale = Double(gain.values[c] * outputGain) * h
      let slope = -scale * h * h * fanIn / (fanIn - 1) * product
      a[c] = Float(scale)
      b[c] = Float(slope)
      constant[c] = Float(-scale * sum / fanIn - slope * Double(mean[c]))
      gain.gradient[c] += Float(h * product) * outputGain
      bias.gradient[c] *= outputGain
    }
    weight.gradient.combineRows(a: a, b: b, with: weight.values, c: constant)
  }

  /// The output gain's gradient, from those of w' and the bias.
  private func completeOutputGain() {
    guard let outputGain else { return }
    let untraced = meetsTraces ? untraced?.all : nil
    sums.takeProducts(ofRows: untraced ?? weight.gradient, with: weight.values, mean: mean)
    let gradient = (0..<bias.count).reduce(0.0) { sum, c in
      sum + Double(gain.values[c]) * Double(inverseScale[c]) * sums.second(c)
        + Double(bias.values[c] * bias.gradient[c])
    }
    outputGain.parameter.gradient[0] += Float(gradient) * outputGain.factor
    untraced?.fill(0)
    meetsTraces = false
  }

  var summary: LayerSummary {
    var summary = summary(kind: "ws-conv", parameters: weight.count + bias.count + gain.count)
    if outputGain != nil { summary.untracedBytes = 4 * weight.count }
    return summary
  }
}
