/// The gain that restores unit variance after a spike.
private let activationGain: Float = 2.74
/// How much of a residual branch is added.
private let alpha: Float = 0.2

extension NetworkFamily {
  /// Normalizer-free spiking ResNet with a 7x7 stem (Brock et al., ICLR 2021; spiking form and names as in
  /// the published SLTT code).
  func normalizerFreeResNet(blocks: [Int], width: Int, isBottleneck: Bool) -> [Part] {
    var parts: [Part] = [
      .convolution(
        ConvolutionPart("conv1", channels: width, kernel: 7, stride: 2, isStandardized: true)),
      .averagePool(WindowPoolPart("maxpool", kernel: 3, stride: 2, padding: 1)),
    ]
    var channels = width
    // The variance that the residual stream is expected to have.
    var variance: Float = 1
    for (stage, count) in blocks.enumerated() {
      let planes = width << stage
      let outputs = isBottleneck ? 4 * planes : planes
      let stageBlocks = (0..<count).map { index in
        let stride = stage > 0 && index == 0 ? 2 : 1
        let downsamples = index == 0 && (stride != 1 || channels != outputs)
        let block = normalizerFreeBlock(
          planes: planes, outputs: outputs, stride: stride, downsamples: downsamples,
          beta: variance.squareRoot())
        channels = outputs
        variance = (downsamples ? 1 : variance) + alpha * alpha
        return Part.sequence(SequencePart(nil, block))
      }
      parts.append(.sequence(SequencePart("layer\(stage + 1)", stageBlocks)))
    }
    return parts + [
      .adaptivePool(AdaptivePoolPart("avgpool", size: 1)),
      .linear(LinearPart("fc", weight: .zero, bias: .uniform)),
    ]
  }

  /// A residual block without normalisation:
  ///
  ///     s = 2.74 lif(x / beta)
  ///     y = alpha skipGain conv(2.74 lif(… conv(s))) + (downsample(s) or x)
  ///
  /// Two 3x3 convolutions, or 1x1, 3x3, 1x1 as a bottleneck.
  private func normalizerFreeBlock(
    planes: Int, outputs: Int, stride: Int, downsamples: Bool, beta: Float
  ) -> [Part] {
    let (kernels, strides) =
      outputs == planes ? ([3, 3], [stride, 1]) : ([1, 3, 1], [1, stride, 1])
    var branch: [Part] = []
    for (index, kernel) in kernels.enumerated() {
      branch += [
        .neuron(
          NeuronPart(
            "sn\(index + 1)", inputScale: index == 0 ? 1 / beta : 1, amplitude: activationGain)),
        .convolution(
          ConvolutionPart(
            "conv\(index + 1)", channels: index == kernels.count - 1 ? outputs : planes,
            kernel: kernel, stride: strides[index], isStandardized: true)),
      ]
    }
    guard downsamples else { return [.residual(ResidualPart(branch: branch, skipInit: alpha))] }
    let downsample = ConvolutionPart(
      "downsample", channels: outputs, kernel: 1, stride: stride, isStandardized: true)
    return [
      branch[0],
      .residual(
        ResidualPart(
          branch: Array(branch.dropFirst()), shortcut: [.convolution(downsample)], skipInit: alpha)),
    ]
  }
}
