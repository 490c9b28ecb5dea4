import Tensors

/// The gain that restores unit variance after a spike.
private let activationGain: Float = 2.74
/// How much of a residual branch is added.
private let alpha: Float = 0.2

extension NetworkSpecification {
  /// Normaliser-free spiking ResNet with a 7x7 stem (Brock et al., ICLR 2021; spiking form and names as in
  /// the published SLTT code).
  func normalizerFreeResNet(isBottleneck: Bool) -> [Part] {
    var parts: [Part] = [
      .sequence([
        .convolution(
          ConvolutionPart(
            "conv1", outputs: width, .init(kernel: 7, stride: 2, padding: 3), .standardized)),
        .averagePool("maxpool", .window(SlidingWindow(kernel: 3, stride: 2, padding: 1))),
      ])
    ]
    var channels = width
    // The variance that the residual stream is expected to have.
    var variance: Float = 1
    for (stage, count) in blocks.enumerated() {
      let planes = planes(ofStage: stage)
      let outputs = isBottleneck ? 4 * planes : planes
      for index in 0..<count {
        let stride = stage > 0 && index == 0 ? 2 : 1
        let downsamples = index == 0 && (stride != 1 || channels != outputs)
        parts.append(
          normalizerFreeBlock(
            "layer\(stage + 1).\(index)", planes: planes, outputs: outputs, stride: stride,
            downsamples: downsamples, beta: variance.squareRoot()))
        channels = outputs
        variance = (downsamples ? 1 : variance) + alpha * alpha
      }
    }
    parts.append(
      .sequence([
        .averagePool("avgpool", .adaptive(height: 1, width: 1)),
        .linear(LinearPart("fc", outputs: classes, weight: .zero, bias: .uniform)),
      ]))
    return parts
  }

  /// A residual block without normalisation:
  ///
  ///     s = 2.74 lif(x / beta)
  ///     y = alpha skipGain conv(2.74 lif(… conv(s))) + (downsample(s) or x)
  ///
  /// Two 3x3 convolutions, or 1x1, 3x3, 1x1 as a bottleneck.
  private func normalizerFreeBlock(
    _ name: String, planes: Int, outputs: Int, stride: Int, downsamples: Bool, beta: Float
  ) -> Part {
    let strided = SlidingWindow(kernel: 3, stride: stride, padding: 1)
    let windows =
      outputs == planes
      ? [strided, SlidingWindow(kernel: 3, padding: 1)]
      : [SlidingWindow(kernel: 1), strided, SlidingWindow(kernel: 1)]
    var branch: [Part] = []
    for (index, window) in windows.enumerated() {
      let isLast = index == windows.count - 1
      branch.append(
        .neuron(
          NeuronPart(
            "\(name).sn\(index + 1)", inputScale: index == 0 ? 1 / beta : 1,
            amplitude: activationGain)))
      branch.append(
        .convolution(
          ConvolutionPart(
            "\(name).conv\(index + 1)", outputs: isLast ? outputs : planes, window,
            .standardized)))
    }
    let gain = ResidualPart.Gain(name: name + ".skipinit_gain", factor: alpha)
    guard downsamples else {
      return .residual(ResidualPart(branch: branch, base: .shortcut, gain: gain))
    }
    let downsample = ConvolutionPart(
      name + ".downsample", outputs: outputs, .init(kernel: 1, stride: stride), .standardized)
    return .sequence([
      branch[0],
      .residual(
        ResidualPart(
          branch: Array(branch.dropFirst()), shortcut: downsample, base: .shortcut, gain: gain)),
    ])
  }
}
