import SpikingNetworks
import Tensors

/// Small networks of every kind that is made of neurons and linear maps, with random parameters and running
/// statistics.
public enum RandomNetwork: String, CaseIterable, Sendable {
  case resNet, onlineResNet, vgg, nfResNet, sewResNet, own

  public static let timesteps = 4

  /// - Parameter reset: of its neurons.
  public func make(reset: Reset) throws -> SpikingNetwork {
    let neuron = NeuronSpecification(
      kind: self == .vgg ? .if : .lif, tau: 1.6, threshold: 0.7, reset: reset,
      firing: self == .onlineResNet ? .round : .floor)
    func family(
      _ family: NetworkFamily, _ blocks: [Int], size: Int,
      _ normalization: NormalizationKind = .batch
    ) -> NetworkSpecification {
      NetworkSpecification(
        family: family, blocks: blocks, width: 4, stem: .cifar, classes: 3, inputChannels: 2,
        imageSize: size, normalization: normalization, neuron: neuron)
    }
    let specification =
      switch self {
      case .resNet: family(.resNet, [2, 1], size: 8)
      case .onlineResNet: family(.resNet, [1, 1], size: 8, .online)
      // Its last pool makes 7x7 of 3x3.
      case .vgg: family(.vgg, [1, 1], size: 12)
      case .nfResNet: family(.nfResNet, [2, 1], size: 16)
      case .sewResNet: family(.sewResNet, [1, 1], size: 8)
      case .own:
        NetworkSpecification(
          parts: Self.parts, classes: 3, inputChannels: 2, imageSize: 12, neuron: neuron)
      }
    let network = try SpikingNetwork(specification, seed: 1)
    var random = SeededGenerator(seed: 2)
    func fill(_ parameters: [Parameter], _ range: (Parameter) -> ClosedRange<Float>) {
      for parameter in parameters {
        let values = (0..<parameter.count).map { _ in
          Float.random(in: range(parameter), using: &random)
        }
        parameter.values.assign(values)
      }
    }
    fill(network.store.parameters) { parameter in
      let isWeight = parameter.shape.count > 1 && !parameter.name.hasSuffix(".gain")
      let most = 2 / Float(parameter.count / max(1, parameter.shape.first ?? 1)).squareRoot()
      return isWeight ? -most...most : parameter.name.hasSuffix(".bias") ? -0.2...0.3 : 0.6...1.4
    }
    fill(network.store.statistics) { $0.name.hasSuffix("_var") ? 0.5...1.5 : -0.3...0.3 }
    network.weightsDidChange()
    return network
  }

  /// A frame of two samples, [N, H, W, C].
  public func frame(_ network: SpikingNetwork) -> [Float] {
    var random = SeededGenerator(seed: 3)
    return (0..<2 * network.specification.input.count).map { _ in
      Float.random(in: -1...2, using: &random)
    }
  }

  /// A pool before and behind neurons, spikes of several amplitudes in one sum, a learnt tau, and neurons
  /// between linear layers.
  private static var parts: [Part] {
    var learnt = NeuronPart("n1", amplitude: 1.5)
    learnt.kind = .plif
    return [
      .convolution(ConvolutionPart("c1", channels: 3, kernel: 3)),
      .averagePool(WindowPoolPart("p1", kernel: 2)),
      .batchNorm(BatchNormPart("b1")), .neuron(learnt),
      .averagePool(WindowPoolPart("p2", kernel: 3, stride: 1, padding: 1)),
      .batchNorm(BatchNormPart("b2")), .neuron(NeuronPart("n2")),
      .residual(
        ResidualPart(branch: [
          .convolution(ConvolutionPart("c2", channels: 3, kernel: 3)),
          .neuron(NeuronPart("n3", amplitude: 2)),
        ])),
      .convolution(ConvolutionPart("c3", channels: 4, kernel: 3, stride: 2)),
      .neuron(NeuronPart("n4", inputScale: 0.5)),
      .linear(LinearPart("l1", outputs: .count(6))), .neuron(NeuronPart("n5", amplitude: 3)),
      .linear(LinearPart("l2")),
    ]
  }
}
