extension NetworkFamily {
  /// Pre-activation spiking ResNet with batch norm and a 3x3 stem, for small images (He et al., ECCV 2016;
  /// spiking form and names as in the published SLTT code).
  func preActivationResNet(blocks: [Int], width: Int) -> [Part] {
    var parts: [Part] = [
      .convolution(ConvolutionPart("conv1", channels: width, kernel: 3, bias: .none))
    ]
    for (stage, count) in blocks.enumerated() {
      let name: PartName = "layer\(stage + 1)"
      let block = preActivationBlock(channels: width << stage)
      guard stage > 0 else {
        parts.append(.repetition(RepetitionPart(name, times: count, block)))
        continue
      }
      let first = preActivationBlock(channels: width << stage, halves: true)
      let others = count > 1 ? [Part.repetition(RepetitionPart(nil, times: count - 1, block))] : []
      parts.append(.sequence(SequencePart(name, [.sequence(SequencePart(nil, first))] + others)))
    }
    return parts + [
      .batchNorm(BatchNormPart("bn1")),
      .neuron(NeuronPart("relu1")),
      .averagePool(WindowPoolPart("pool", kernel: 4)),
      .dropout(DropoutPart("drop")),
      .linear(LinearPart("linear", weight: .uniform, bias: .zero)),
    ]
  }

  /// A residual block that normalises and fires before each convolution:
  /// `s = lif(bn(x)); y = conv(lif(bn(conv(s)))) + shortcut(s)`. Where shapes agree the shortcut is the
  /// spikes themselves.
  ///
  /// - Parameter halves: whether it halves the image and makes `channels` of half as many.
  private func preActivationBlock(channels: Int, halves: Bool = false) -> [Part] {
    let stride = halves ? 2 : 1
    let shortcut = ConvolutionPart("shortcut", channels: channels, kernel: 1, stride: stride)
    return [
      .batchNorm(BatchNormPart("bn1")),
      .neuron(NeuronPart("relu1")),
      .residual(
        ResidualPart(
          branch: [
            .convolution(ConvolutionPart("conv1", channels: channels, kernel: 3, stride: stride)),
            .batchNorm(BatchNormPart("bn2")),
            .neuron(NeuronPart("relu2")),
            .dropout(DropoutPart("dropout")),
            .convolution(ConvolutionPart("conv2", channels: channels, kernel: 3)),
          ],
          shortcut: halves ? [.convolution(shortcut)] : [])),
    ]
  }
}
