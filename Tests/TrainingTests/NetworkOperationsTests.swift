import SpikingNetworks
import Tensors
import Testing

@testable import Training

struct NetworkOperationsTests {
  /// 4x4 pixels; conv1 3x3 to 2 channels, conv2 3x3 of stride 2 to 3 channels, a linear layer to 2 classes.
  /// With tau = 1 nothing is remembered, so that each time step is like the first.
  private func network(levels: Int = 1) throws -> SpikingNetwork {
    func convolution(_ name: PartName, _ channels: Int, stride: Int = 1) -> Part {
      .convolution(
        ConvolutionPart(name, channels: channels, kernel: 3, stride: stride, bias: .none))
    }
    let specification = NetworkSpecification(
      parts: [
        convolution("conv1", 2), .neuron(NeuronPart("sn1")), convolution("conv2", 3, stride: 2),
        .neuron(NeuronPart("sn2")), .linear(LinearPart("fc")),
      ], classes: 2, inputChannels: 1, imageSize: 4,
      neuron: NeuronSpecification(tau: 1, levels: levels))
    let network = try SpikingNetwork(specification, seed: 1, arena: Arena(capacity: 1 << 24))
    for parameter in network.store.parameters {
      var values = [Float](repeating: 0, count: parameter.count)
      // [out, in, 3, 3]: the first channel of conv1 is the image.
      if parameter.name == "conv1.weight" { values[4] = 1 }
      // The first and the last channel of conv2 add up the spikes that they see of it.
      if parameter.name == "conv2.weight" {
        for output in [0, 2] { for tap in 0..<9 { values[output * 18 + tap] = 1 } }
      }
      parameter.assign(published: values, to: parameter.values)
    }
    network.weightsDidChange()
    return network
  }

  /// Three pixels make their neurons fire.
  private func frame(_ network: SpikingNetwork, value: Float = 1.5) -> Tensor {
    var image = [Float](repeating: 0, count: 16)
    for (y, x) in [(0, 0), (0, 2), (3, 0)] { image[4 * y + x] = value }
    return Tensor(Shape(n: 1, h: 4, w: 4, c: 1), image, in: network.arena)
  }

  private func operations(
    _ network: SpikingNetwork, timesteps: Int, isStatic: Bool = true, value: Float = 1.5
  ) -> NetworkOperations {
    TrainingStep(network, .sltt(timesteps: timesteps), loss: LossSpecification()).evaluate(
      FrameSequence(static: frame(network, value: value)), labels: [0], globalCount: 1)
    let rates = zip(network.plan.weightedLayers, network.spikeInputs).compactMap { layer, input in
      input.rate.map { (layer.name, $0) }
    }
    return NetworkOperations(
      network.plan, timesteps: timesteps, isStatic: isStatic,
      rates: Dictionary(uniqueKeysWithValues: rates))
  }

  @Test func areThoseCountedByHand() throws {
    let network = try network()
    let counted = operations(network, timesteps: 3)
    #expect(counted.layers.map(\.name) == ["conv1", "conv2", "fc"])
    // 4x4 outputs of 9 weights to each of 2 channels, once for all time steps.
    #expect(counted.layers.map(\.macs) == [288, 0, 0])
    #expect(counted.layers[0].inputRate == nil)
    // conv2 reads 3 of 4 · 4 · 2 neurons' spikes. Its 2x2 outputs of 9 weights for each of 2 and to each of 3
    // channels are 216, so that an input meets 216 / 32 = 6.75 weights.
    #expect(counted.layers[1].inputRate == 3.0 / 32)
    #expect(counted.layers[1].acs == 3 * 3 * 6.75)
    // Of its outputs all see a spike but that of the last row and column, in two of three channels: 6 spikes,
    // each of which meets the weights of two classes.
    #expect(counted.layers[2].inputRate == 6.0 / 12)
    #expect(counted.layers[2].acs == 3 * 6 * 2)
    #expect(counted.macs == 288 && counted.acs == 60.75 + 36)
    #expect(counted.annMACs == 288 + 216 + 24)

    let energy = OperationEnergy()
    let lines = counted.text(energy).split(separator: "\n").map { String($0) }
    // 288 · 4.6 pJ; 60.75 · 0.9 pJ; in all 1324.8 + 87.075 pJ, and 528 · 4.6 pJ as an ANN.
    #expect(lines[1].split(separator: " ").suffix(5) == ["1.32", "nJ", "288", "1.32", "nJ"])
    #expect(lines[2].contains("  9.4 %  ") && lines[2].contains("  54.7 pJ  "))
    #expect(lines[4].split(separator: " ").suffix(5) == ["1.41", "nJ", "528", "2.43", "nJ"])
    #expect(counted.layers[1].energy(OperationEnergy(mac: 3.2, ac: 0.1)) == 60.75 * 0.1)
  }

  @Test func framesPassTheFirstLayerAtEachTimeStep() throws {
    let counted = operations(try network(), timesteps: 3, isStatic: false)
    #expect(counted.layers.map(\.macs) == [3 * 288, 0, 0])
  }

  /// Pixels of 3.2 thresholds fire three spikes each at a time step.
  @Test func aNeuronOfSeveralLevelsCountsEachSpike() throws {
    let network = try network(levels: 4)
    let counted = operations(network, timesteps: 2, value: 3.2)
    #expect(counted.layers[1].inputRate == 9.0 / 32)
    #expect(counted.layers[1].acs == 2 * 9 * 6.75)
  }

  @Test func layersThatReadFloatsMultiplyAtEachTimeStep() throws {
    let plan = try NetworkPlan(
      NetworkSpecification(family: .resNet, blocks: [1, 1], width: 4, classes: 3, imageSize: 16))
    let counted = NetworkOperations(plan, timesteps: 5, isStatic: true, firingRate: 0.25)
    let last = try #require(counted.layers.last)
    // After average pooling.
    #expect(last.inputRate == nil && last.acs == 0 && last.macs == 5 * last.annMACs)
    #expect(counted.layers[0].macs == counted.layers[0].annMACs)
    let others = counted.layers.dropFirst().dropLast()
    #expect(others.count == 5)
    #expect(others.allSatisfy { $0.macs == 0 && $0.acs == 0.25 * 5 * $0.annMACs })
  }

  /// All that earlier runs have recorded.
  @Test func ratesFollowFromTheDensitiesOfPlanes() throws {
    let plan = try NetworkPlan(
      NetworkSpecification(
        family: .resNet, blocks: [1], width: 4, classes: 3, imageSize: 16,
        neuron: NeuronSpecification(levels: 4)))
    #expect(
      plan.inputRates(at: ["layer1.0.conv1": 0.1, "layer1.0.conv2": 0.2])
        == ["layer1.0.conv1": 3 * 0.1, "layer1.0.conv2": 3 * 0.2])
  }
}
