import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct UnrollingTests {
  private static let levels = 5

  private func specification(
    _ parts: [Part], _ firing: Firing = .floor, levels: Int = levels
  ) -> NetworkSpecification {
    NetworkSpecification(
      parts: parts, classes: 3, imageSize: 16, dropout: 0.3,
      neuron: NeuronSpecification(tau: 2, threshold: 0.3, levels: levels, firing: firing))
  }

  private func network(_ specification: NetworkSpecification) throws -> SpikingNetwork {
    let network = try SpikingNetwork(specification, seed: 2, arena: Arena(capacity: 1 << 28))
    for (index, parameter) in (network.store.parameters + network.store.statistics).enumerated()
    where parameter.shape.count <= 1 {
      // No two channels alike, and biases that count.
      let noise = randomFloats(parameter.count, seed: index)
      for c in 0..<parameter.count { parameter.values[c] += 0.3 * noise[c] + 0.2 }
    }
    network.weightsDidChange()
    return network
  }

  private func logits(_ network: SpikingNetwork, isUnrolled: Bool) -> [Float] {
    let input = network.specification.input.withSamples(4)
    let frames = FrameSequence(
      static: Tensor(input, randomFloats(input.count, seed: 5).map { 3 * $0 }, in: network.arena))
    var logits: [Float] = []
    network.evaluate(frames, timesteps: 3, isUnrolled: isUnrolled) { _, values in
      logits += values.tensor.elements
    }
    return logits
  }

  /// Spikes and elements of the planes that each convolution reads.
  private func inputs(_ network: SpikingNetwork) -> [(spikes: Int, sites: Int)] {
    network.convolutions.filter(\.readsSpikes).map(\.inputActivity)
  }

  @Test(arguments: NetworkFamily.allCases, Firing.allCases)
  func singleSpikesAddUpToTheLevels(_ family: NetworkFamily, _ firing: Firing) throws {
    let network = try network(
      specification(family.parts(blocks: [1, 2], width: 6, stem: .imagenet), firing))
    #expect(network.unrollingProblem == nil && network.levels == Self.levels)
    let expected = logits(network, isUnrolled: false)
    let (activity, sites) = (network.activity, inputs(network).map(\.sites))
    let unrolled = logits(network, isUnrolled: true)
    expectClose(unrolled, expected, tolerance: 1e-5, "logits")
    #expect(network.activity == activity && activity.spikes > activity.neuronSteps / 5)
    // Planes of single spikes: as many as levels, from each of the neurons that are read.
    for (input, sites) in zip(inputs(network), sites) {
      #expect(input.sites * Spikes.planes(levels: Self.levels) >= sites * Self.levels)
    }
    let fine = inputs(network).reduce(0) { $0 + $1.sites }
    #expect(fine % Self.levels == 0 && fine > sites.reduce(0, +))
    // What was unrolled leaves nothing behind.
    #expect(logits(network, isUnrolled: false) == expected)
  }

  /// A neuron that is simulated step by step, as its definition says, on the fine steps of its input.
  @Test(arguments: Firing.allCases) func neuronsFireAsOnFineSteps(_ firing: Firing) {
    let (levels, channels, timesteps) = (4, 6, 5)
    let bench = LayerBench(
      neuron: NeuronSpecification(tau: 1.5, threshold: 0.7, levels: levels, firing: firing))
    let shape = Shape(n: 2, h: 1, w: 3, c: channels)
    let norm = BatchNorm("bn", channels: channels, bench.builder)
    let neuron = LIFNeuron("sn", input: shape, normalization: norm, amplitude: 2, bench.builder)
    bench.complete()
    for (index, value) in randomFloats(channels, seed: 4).enumerated() {
      norm.runningMean.values[index] = value
      norm.runningVariance.values[index] = 1 + value / 2
    }
    neuron.beginSequence(IterationContext())
    var tape = Tape(arena: bench.arena)
    (tape.isTraining, tape.isRecording, tape.isUnrolled) = (false, false, true)
    var potentials = [Double](repeating: 0, count: shape.count)
    var fired = Set<Int>()
    for t in 0..<timesteps {
      let fine = (0..<levels).map { randomFloats(shape.count, seed: 10 * t + $0 + 100) }
      let sum = (0..<shape.count).map { index in fine.reduce(0) { $0 + $1[index] } }
      let spikes: Spikes? =
        switch neuron.forward(.floats(shape, sum, in: bench.arena), &tape) {
        case .spikes(let spikes): spikes
        case .floats: nil
        }
      for index in 0..<shape.count {
        let c = index % channels
        let scale =
          Double(norm.weight.values[c])
          / (Double(norm.runningVariance.values[c]) + 1e-5).squareRoot()
        let shift = Double(norm.bias.values[c]) - Double(norm.runningMean.values[c]) * scale
        var u = potentials[index] / 3
        for step in fine { u += scale * Double(step[index]) + shift / Double(levels) }
        let threshold = Double(Float(0.7))
        let offset = firing == .floor ? 1 : 0.5
        let number = (0..<levels).count { u >= threshold * (offset + Double($0)) }
        potentials[index] = u - threshold * Double(number)
        fired.insert(number)
        for k in 0..<levels {
          #expect(spikes?.planes[k].spikes[index] == (k < number), "time step \(t), step \(k)")
        }
      }
    }
    #expect(fired == Set(0...levels))
  }

  @Test func layersHaveLevelsOfTheirOwn() throws {
    var one = NeuronPart("one")
    one.levels = 1
    let network = try network(
      specification([
        .convolution(ConvolutionPart("conv1", channels: 4, kernel: 3)), .neuron(one),
        .convolution(ConvolutionPart("conv2", channels: 4, kernel: 3)), .neuron(NeuronPart("more")),
        .maxPool(WindowPoolPart("pool", kernel: 2)),
        .convolution(ConvolutionPart("conv3", channels: 4, kernel: 3)), .neuron(NeuronPart("last")),
        .linear(LinearPart("fc")),
      ]))
    let expected = logits(network, isUnrolled: false)
    expectClose(logits(network, isUnrolled: true), expected, tolerance: 1e-5, "logits")
    let pixels = 4 * 3 * 4 * 16 * 16
    #expect(inputs(network).map(\.sites) == [pixels, Self.levels * pixels / 4])
  }

  @Test func saysWhatCannotBeUnrolled() throws {
    let single = try network(
      specification(NetworkFamily.vgg.parts(blocks: [1], width: 4), levels: 1))
    #expect(
      single.unrollingProblem
        == "neurons fire at most one spike at a time step, so that there is nothing to unroll")
    let pooled = try network(
      specification([
        .convolution(ConvolutionPart("conv", channels: 4, kernel: 3)), .neuron(NeuronPart("a")),
        .residual(
          ResidualPart(branch: [
            .convolution(ConvolutionPart("b", channels: 4, kernel: 3)), .neuron(NeuronPart("c")),
          ])),
        .maxPool(WindowPoolPart("pool", kernel: 2)), .linear(LinearPart("fc")),
      ]))
    #expect(pooled.unrollingProblem?.contains("'pool'") == true)
  }
}
