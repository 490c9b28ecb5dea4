import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct NetworkGraphTests {
  /// The graph, computed node by node in the plainest way, gives the network's logits.
  @Test(arguments: RandomNetwork.allCases, Reset.allCases)
  func computesWhatTheNetworkDoes(kind: RandomNetwork, reset: Reset) throws {
    let network = try kind.make(reset: reset)
    let input = network.specification.input
    let frame = kind.frame(network)
    var expected: [[Float]] = []
    network.evaluate(
      FrameSequence(static: Tensor(input.withSamples(2), frame, in: network.arena)),
      timesteps: RandomNetwork.timesteps
    ) { _, logits in
      expected.append((0..<logits.tensor.shape.count).map { logits.tensor[$0] })
    }
    let spikes = network.neurons.reduce(0) { $0 + $1.spikeCount }
    // Some fire, and not all.
    #expect((0.01..<0.99).contains(Double(spikes) / Double(network.activity.neuronSteps)))

    let graph = try NetworkGraph(network)
    #expect(graph.outputShape == [3] && graph.inputShape == [input.c, input.h, input.w])
    for sample in 0..<2 {
      var run = PlainGraphRun(graph)
      let image = (0..<input.count).map { index in
        let (channel, pixel) = (index / (input.h * input.w), index % (input.h * input.w))
        return frame[(sample * input.h * input.w + pixel) * input.c + channel]
      }
      for logits in expected {
        expectClose(
          run.step(image), Array(logits[sample * 3..<sample * 3 + 3]), tolerance: 1e-4, "logits")
      }
    }
  }

  /// What comes before a neuron goes into the convolutions that it reads, and needs no node of its own.
  @Test func normalizationGoesIntoConvolutions() throws {
    let names = try NetworkGraph(RandomNetwork.resNet.make(reset: .hard)).nodes.map(\.name)
    #expect(
      names == [
        "conv1", "layer1.0.relu1", "layer1.0.conv1", "layer1.0.relu2", "layer1.0.conv2",
        "layer1.1.relu1.input", "layer1.1.relu1", "layer1.1.conv1", "layer1.1.relu2",
        "layer1.1.conv2", "layer2.0.relu1.input", "layer2.0.relu1", "layer2.0.conv1",
        "layer2.0.relu2", "layer2.0.conv2", "layer2.0.shortcut", "relu1", "pool", "linear.flatten",
        "linear",
      ])
  }

  @Test func maxPoolsHaveNoPlace() throws {
    let network = try SpikingNetwork(
      NetworkSpecification(family: .sewResNet, blocks: [1], width: 2, classes: 3, imageSize: 16),
      seed: 0)
    #expect(throws: NetworkGraphError.self) { try NetworkGraph(network) }
  }

  @Test func unevenPoolsNeedALinearLayer() throws {
    let network = try SpikingNetwork(
      NetworkSpecification(
        parts: [
          .convolution(ConvolutionPart("c", channels: 2, kernel: 3)),
          .adaptivePool(AdaptivePoolPart("p", size: 3)), .neuron(NeuronPart("n")),
          .linear(LinearPart("l")),
        ], classes: 3, imageSize: 8), seed: 0)
    let error = #expect(throws: NetworkGraphError.self) { try NetworkGraph(network) }
    #expect(error?.layer == "p" && error?.problem.hasSuffix("but n follows") == true)
  }
}

/// A graph's time steps, for one sample.
private struct PlainGraphRun {
  private let graph: NetworkGraph
  /// v of each layer of neurons.
  private var potentials: [String: [Float]] = [:]

  init(_ graph: NetworkGraph) { self.graph = graph }

  mutating func step(_ input: [Float]) -> [Float] {
    var outputs: [String: [Float]] = [:]
    func sum(_ names: [String]) -> [Float] {
      names.dropFirst().reduce(outputs[names[0]]!) { zip($0, outputs[$1]!).map(+) }
    }
    for node in graph.nodes {
      let x = node.sources.isEmpty ? input : sum(node.sources)
      outputs[node.name] = output(of: node, x)
      #expect(outputs[node.name]!.count == node.outputShape.reduce(1, *))
    }
    return sum(graph.outputs)
  }

  private mutating func output(of node: NetworkGraph.Node, _ x: [Float]) -> [Float] {
    switch node.operation {
    case .flatten: return x
    case .linear(let map):
      return map.biases.indices.map { o in
        x.indices.reduce(map.biases[o]) { $0 + map.weights[o * x.count + $1] * x[$1] }
      }
    case .convolution(let map, let window):
      let (inputs, area) = (node.inputShape[0], window.kernel * window.kernel)
      return sliding(window, node) { output, taps in
        taps.reduce(map.biases[output]) { sum, tap in
          (0..<inputs).reduce(sum) {
            $0 + map.weights[(output * inputs + $1) * area + tap.tap] * x[tap.pixel($1)]
          }
        }
      }
    case .averagePool(let window):
      let area = Float(window.kernel * window.kernel)
      return sliding(window, node) { channel, taps in
        taps.reduce(0) { $0 + x[$1.pixel(channel)] } / area
      }
    case .neurons(let dynamics):
      let before = potentials[node.name] ?? [Float](repeating: 0, count: x.count)
      let charged = zip(before, x).map { dynamics.decay * $0 + $1 }
      let spikes = charged.map { $0 >= dynamics.threshold * dynamics.firing.offset }
      potentials[node.name] = zip(charged, spikes).map { u, fires in
        guard fires else { return u }
        return dynamics.reset == .hard ? 0 : u - dynamics.threshold
      }
      return spikes.map { $0 ? 1 : 0 }
    }
  }

  /// A pixel of a window.
  private struct Tap {
    /// Its number in the window.
    let tap: Int
    let y, x: Int
    let shape: [Int]

    /// Its number in the image.
    func pixel(_ channel: Int) -> Int { (channel * shape[1] + y) * shape[2] + x }
  }

  private func sliding(
    _ window: SlidingWindow, _ node: NetworkGraph.Node, _ value: (Int, [Tap]) -> Float
  ) -> [Float] {
    let (input, output) = (node.inputShape, node.outputShape)
    var values: [Float] = []
    for channel in 0..<output[0] {
      for y in 0..<output[1] {
        for x in 0..<output[2] {
          let taps = (0..<window.kernel * window.kernel).compactMap { tap -> Tap? in
            let row = y * window.stride - window.padding + tap / window.kernel
            let column = x * window.stride - window.padding + tap % window.kernel
            guard (0..<input[1]).contains(row), (0..<input[2]).contains(column) else { return nil }
            return Tap(tap: tap, y: row, x: column, shape: input)
          }
          values.append(value(channel, taps))
        }
      }
    }
    return values
  }
}
