/// What the image of a SEW-ResNet comes in by, named as in configuration files.
public enum StemKind: String, CaseIterable, Sendable {
  /// A 3x3 convolution, for small images.
  case cifar
  /// A 7x7 convolution of stride 2 and a max pool of stride 2, as published.
  case imagenet
}

extension NetworkFamily {
  /// Spike-element-wise ResNet (Fang et al., "Deep residual learning in spiking neural networks", NeurIPS 2021;
  /// names as in SpikingJelly): what flows between blocks are sums of spikes.
  func sewResNet(blocks: [Int], width: Int, stem: StemKind, isBottleneck: Bool) -> [Part] {
    let isLarge = stem == .imagenet
    var parts: [Part] = [
      .convolution(
        ConvolutionPart(
          "conv1", channels: width, kernel: isLarge ? 7 : 3, stride: isLarge ? 2 : 1, bias: .none)),
      .batchNorm(BatchNormPart("bn1")),
      .neuron(NeuronPart("sn1")),
    ]
    if isLarge {
      parts.append(.maxPool(WindowPoolPart("maxpool", kernel: 3, stride: 2, padding: 1)))
    }
    var channels = width
    for (stage, count) in blocks.enumerated() {
      let planes = width << stage
      let outputs = isBottleneck ? 4 * planes : planes
      let stageBlocks = (0..<count).map { index in
        let stride = stage > 0 && index == 0 ? 2 : 1
        let block = sewBlock(
          planes: planes, outputs: outputs, stride: stride, isBottleneck: isBottleneck,
          downsamples: stride != 1 || channels != outputs)
        channels = outputs
        return Part.sequence(SequencePart(nil, [block]))
      }
      parts.append(.sequence(SequencePart("layer\(stage + 1)", stageBlocks)))
    }
    return parts + [
      .adaptivePool(AdaptivePoolPart("avgpool", size: 1)),
      .linear(LinearPart("fc")),
    ]
  }

  /// `y = shortcut(x) + lif(bn(conv(… lif(bn(conv(x))))))`. The shortcut is x, or lif(bn(conv(x))) where shapes
  /// differ. Two 3x3 convolutions, or 1x1, 3x3, 1x1 as a bottleneck.
  private func sewBlock(
    planes: Int, outputs: Int, stride: Int, isBottleneck: Bool, downsamples: Bool
  ) -> Part {
    let (kernels, strides) = isBottleneck ? ([1, 3, 1], [1, stride, 1]) : ([3, 3], [stride, 1])
    let branch: [Part] = kernels.enumerated().flatMap { index, kernel -> [Part] in
      let number = index + 1
      return [
        .convolution(
          ConvolutionPart(
            "conv\(number)", channels: number == kernels.count ? outputs : planes, kernel: kernel,
            stride: strides[index], bias: .none)),
        .batchNorm(BatchNormPart("bn\(number)")),
        .neuron(NeuronPart("sn\(number)")),
      ]
    }
    let shortcut: [Part] = [
      .sequence(
        SequencePart(
          "downsample",
          [
            .convolution(
              ConvolutionPart(channels: outputs, kernel: 1, stride: stride, bias: .none)),
            .batchNorm(BatchNormPart()),
          ])),
      .neuron(NeuronPart("downsample_sn")),
    ]
    return .residual(ResidualPart(branch: branch, shortcut: downsamples ? shortcut : []))
  }
}
