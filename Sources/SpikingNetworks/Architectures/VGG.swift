extension NetworkFamily {
  /// Spiking VGG with batch norm (Simonyan and Zisserman, ICLR 2015; spiking form and names as in the
  /// published SLTT code): stages of convolutions of one width, `s = dropout(lif(bn(conv(x))))`, each with
  /// 2x2 average pooling in the end. Layers have the number of their module.
  func vgg(blocks: [Int], width: Int) -> [Part] {
    let stages = blocks.enumerated().map { stage, count in
      let unit: [Part] = [
        .convolution(ConvolutionPart(channels: width << min(stage, 3), kernel: 3, bias: .zero)),
        .batchNorm(BatchNormPart()),
        .neuron(NeuronPart()),
        .dropout(DropoutPart()),
      ]
      return Part.sequence(
        SequencePart(
          "layer\(stage + 1)",
          (0..<count).flatMap { _ in unit } + [.averagePool(WindowPoolPart(kernel: 2))]))
    }
    return stages + [
      .adaptivePool(AdaptivePoolPart("avgpool", size: 7)),
      .sequence(
        SequencePart("classifier", [.linear(LinearPart("1", weight: .normal, bias: .zero))])),
    ]
  }
}
