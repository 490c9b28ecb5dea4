import Tensors

extension NetworkSpecification {
  /// Spiking VGG with batch norm (Simonyan and Zisserman, ICLR 2015; spiking form and names as in the
  /// published SLTT code): stages of convolutions of one width, `s = dropout(lif(bn(conv(x))))`, each with
  /// 2x2 average pooling in the end.
  func vgg() -> [Part] {
    var parts: [Part] = []
    for (stage, count) in blocks.enumerated() {
      // The number of a module in its stage, which has four for each convolution.
      func name(_ module: Int) -> String { "layer\(stage + 1).\(module)" }
      var units: [Part] = []
      for first in stride(from: 0, to: 4 * count, by: 4) {
        units += [
          .convolution(
            ConvolutionPart(
              name(first), outputs: planes(ofStage: stage), .init(kernel: 3, padding: 1),
              .plain(bias: .zero))),
          .neuron(NeuronPart(name(first + 2), batchNorm: name(first + 1))),
          .dropout(name(first + 3)),
        ]
      }
      units.append(
        .averagePool(name(4 * count), .window(SlidingWindow(kernel: 2, stride: 2))))
      parts.append(.sequence(units))
    }
    parts.append(
      .sequence([
        .averagePool("avgpool", .adaptive(height: 7, width: 7)),
        .linear(LinearPart("classifier.1", outputs: classes, weight: .normal, bias: .zero)),
      ]))
    return parts
  }
}
