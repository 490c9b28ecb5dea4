import Tensors

/// The gain that restores unit variance after a spike.
private let activationGain: Float = 2.74
/// How much of a residual branch is added.
private let alpha: Float = 0.2

/// A residual block without normalisation:
///
///     s = 2.74 lif(x / beta)
///     y = alpha skipGain conv(2.74 lif(… conv(s))) + (downsample(s) or x)
///
/// Two 3x3 convolutions, or 1x1, 3x3, 1x1 as a bottleneck.
private final class NormalizerFreeBlock {
  private let neurons: [LIFNeuron]
  private let convolutions: [ScaledWSConvolution2D]
  private let downsample: ScaledWSConvolution2D?

  init(
    _ name: String, input: Shape, planes: Int, stride: Int, downsamples: Bool, beta: Float,
    isBottleneck: Bool, _ builder: NetworkBuilder
  ) {
    let outputs = isBottleneck ? 4 * planes : planes
    let skipGain = builder.parameter(name + ".skipinit_gain", [], .constant(0))
    let windows =
      isBottleneck
      ? [
        SlidingWindow(kernel: 1), SlidingWindow(kernel: 3, stride: stride, padding: 1),
        SlidingWindow(kernel: 1),
      ]
      : [
        SlidingWindow(kernel: 3, stride: stride, padding: 1), SlidingWindow(kernel: 3, padding: 1),
      ]
    var neurons: [LIFNeuron] = []
    var convolutions: [ScaledWSConvolution2D] = []
    var shape = input
    for (index, window) in windows.enumerated() {
      let isLast = index == windows.count - 1
      neurons.append(
        builder.add(
          LIFNeuron(
            "\(name).sn\(index + 1)", input: shape, inputScale: index == 0 ? 1 / beta : 1,
            amplitude: activationGain, builder)))
      convolutions.append(
        builder.add(
          ScaledWSConvolution2D(
            "\(name).conv\(index + 1)", input: shape, outputs: isLast ? outputs : planes, window,
            outputGain: isLast ? .init(parameter: skipGain, factor: alpha) : nil, builder)))
      shape = convolutions[index].output
    }
    self.neurons = neurons
    self.convolutions = convolutions
    downsample =
      downsamples
      ? builder.add(
        ScaledWSConvolution2D(
          name + ".downsample", input: input, outputs: outputs,
          SlidingWindow(kernel: 1, stride: stride), builder)) : nil
  }

  var output: Shape { convolutions.last!.output }

  /// The backward pass does not need the residual stream x, so the branch is added to it in place.
  func forward(_ x: consuming Tensor, _ tape: inout Tape) -> Tensor {
    var x = x
    var spikes = neurons[0].forward(reading: x, &tape)
    if let downsample { x = downsample.forward(spikes) }
    for index in 1..<neurons.count {
      let current = convolutions[index - 1].forward(spikes)
      tape.push(spikes)
      spikes = neurons[index].forward(reading: current, &tape)
    }
    convolutions.last!.forward(spikes, addingTo: &x)
    tape.push(spikes)
    return x
  }

  func backward(_ gy: consuming Tensor, _ tape: inout Tape) -> Tensor {
    var spikes = tape.popSpikes()
    let gy = SharedTensor(gy)
    var g = convolutions.last!.backward(gy.tensor, input: spikes)
    for index in (1..<neurons.count).reversed() {
      g = neurons[index].backward(g, spikes: spikes, &tape)
      spikes = tape.popSpikes()
      g = convolutions[index - 1].backward(g, input: spikes)
    }
    if let downsample {
      g.add(downsample.backward(gy.tensor, input: spikes))
      return neurons[0].backward(g, spikes: spikes, &tape)
    }
    return neurons[0].backward(g, skip: gy, spikes: spikes, &tape)
  }
}

/// Normaliser-free spiking ResNet with a 7x7 stem (Brock et al., ICLR 2021; spiking form and names as in
/// the published SLTT code).
final class NormalizerFreeResNet: NetworkBody {
  private let conv1: ScaledWSConvolution2D
  private let stemPool: AveragePool
  private let blocks: [NormalizerFreeBlock]
  private let pool: AveragePool
  private let fc: Linear

  /// - Precondition: `specification.problem` is `nil`.
  init(_ builder: NetworkBuilder, isBottleneck: Bool) {
    let specification = builder.specification
    conv1 = builder.add(
      ScaledWSConvolution2D(
        "conv1", input: specification.input, outputs: specification.width,
        SlidingWindow(kernel: 7, stride: 2, padding: 3), readsSpikes: false, builder))
    stemPool = builder.add(
      AveragePool(
        "maxpool",
        AveragePooling(
          input: conv1.output, window: SlidingWindow(kernel: 3, stride: 2, padding: 1)), builder))
    builder.endSection()
    var blocks: [NormalizerFreeBlock] = []
    var shape = stemPool.output
    // The variance that the residual stream is expected to have.
    var variance: Float = 1
    for (stage, count) in specification.blocks.enumerated() {
      let planes = specification.planes(ofStage: stage)
      for index in 0..<count {
        let stride = stage > 0 && index == 0 ? 2 : 1
        let downsamples =
          index == 0 && (stride != 1 || shape.c != (isBottleneck ? 4 * planes : planes))
        let block = NormalizerFreeBlock(
          "layer\(stage + 1).\(index)", input: shape, planes: planes, stride: stride,
          downsamples: downsamples, beta: variance.squareRoot(), isBottleneck: isBottleneck,
          builder)
        builder.endSection()
        blocks.append(block)
        shape = block.output
        variance = (downsamples ? 1 : variance) + alpha * alpha
      }
    }
    self.blocks = blocks
    pool = builder.add(
      AveragePool(
        "avgpool", AveragePooling(input: shape, adaptiveHeight: 1, width: 1), builder))
    fc = builder.add(
      Linear(
        "fc", input: pool.output, outputs: specification.classes, weight: .constant(0),
        bias: .uniform(fanIn: pool.output.count), builder))
    builder.endSection()
  }

  func stem(_ frame: borrowing Tensor) -> Tensor { stemPool.forward(conv1.forward(frame)) }

  func forward(_ stem: SharedTensor, _ tape: inout Tape) -> Tensor {
    // The blocks add to the residual stream in place.
    var x = stem.tensor.copy(in: tape.arena)
    for block in blocks { x = block.forward(x, &tape) }
    return fc.forward(pool.forward(x), &tape)
  }

  func backward(
    _ gradient: consuming Tensor, _ tape: inout Tape, _ endSection: () -> Void
  ) -> Tensor {
    var g = pool.backward(fc.backward(gradient, &tape))
    endSection()
    for block in blocks.reversed() {
      g = block.backward(g, &tape)
      endSection()
    }
    return g
  }

  func backwardStem(_ gradient: borrowing Tensor, frame: borrowing Tensor) {
    conv1.backwardWeights(stemPool.backward(gradient), input: frame)
  }
}
