import Tensors

extension NetworkSpecification {
  /// Pre-activation spiking ResNet with batch norm and a 3x3 stem, for small images (He et al., ECCV 2016;
  /// spiking form and names as in the published SLTT code).
  func preActivationResNet() -> [Part] {
    var parts: [Part] = [
      .convolution(
        ConvolutionPart("conv1", outputs: width, .init(kernel: 3, padding: 1), .plain(bias: nil)))
    ]
    var channels = width
    for (stage, count) in blocks.enumerated() {
      for index in 0..<count {
        let outputs = planes(ofStage: stage)
        parts.append(
          preActivationBlock(
            "layer\(stage + 1).\(index)", inputs: channels, outputs: outputs,
            stride: stage > 0 && index == 0 ? 2 : 1))
        channels = outputs
      }
    }
    parts.append(
      .sequence([
        .neuron(NeuronPart("relu1", batchNorm: "bn1")),
        .averagePool("pool", .window(SlidingWindow(kernel: 4, stride: 4))),
        .dropout("drop"),
        .linear(LinearPart("linear", outputs: classes, weight: .uniform, bias: .zero)),
      ]))
    return parts
  }

  /// A residual block that normalises and fires before each convolution:
  /// `s = lif(bn(x)); y = conv(lif(bn(conv(s)))) + shortcut(s)`. Where shapes agree the shortcut is the
  /// spikes themselves.
  private func preActivationBlock(
    _ name: String, inputs: Int, outputs: Int, stride: Int
  ) -> Part {
    func convolution(_ part: String, _ window: SlidingWindow) -> ConvolutionPart {
      ConvolutionPart("\(name).\(part)", outputs: outputs, window, .plain(bias: .uniform))
    }
    let isPlain = stride == 1 && inputs == outputs
    return .sequence([
      .neuron(NeuronPart(name + ".relu1", batchNorm: name + ".bn1")),
      .residual(
        ResidualPart(
          branch: [
            .convolution(convolution("conv1", .init(kernel: 3, stride: stride, padding: 1))),
            .neuron(NeuronPart(name + ".relu2", batchNorm: name + ".bn2")),
            .dropout(name + ".dropout"),
            .convolution(convolution("conv2", .init(kernel: 3, padding: 1))),
          ],
          shortcut: isPlain ? nil : convolution("shortcut", .init(kernel: 1, stride: stride)),
          base: .branch)),
    ])
  }
}
