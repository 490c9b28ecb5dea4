import SpikingNetworks
import Tensors
import Testing

@testable import Training

struct KernelUseTests {
  private func network(
    _ kernels: ConvolutionBackend.Kernels = .auto, width: Int = 64
  ) throws -> SpikingNetwork {
    try SpikingNetwork(
      NetworkSpecification(
        family: .resNet, blocks: [1, 1], width: width, classes: 3, imageSize: 16),
      backend: ConvolutionBackend(kernels: kernels), seed: 1, arena: Arena(capacity: 64 << 20))
  }

  private static let layers = [
    "conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2",
    "layer2.0.shortcut",
  ]

  private func densities(_ density: Double) -> [String: Double] {
    Dictionary(uniqueKeysWithValues: Self.layers.dropFirst().map { ($0, density) })
  }

  @Test func kernelsFollowTheDensity() throws {
    let network = try network()
    let few = network.kernels(at: densities(0.05), samples: 32)
    #expect(few.map(\.layer) == Self.layers)
    #expect(few.map(\.inputDensity) == [nil, 0.05, 0.05, 0.05, 0.05, 0.05])
    #expect(few.map(\.forward) == [.winograd, .events, .events, .events, .events, .oneDNN])
    #expect(few.map(\.weightGradient) == few.map(\.forward))
    let dense: [ConvolutionKernel] = [
      .winograd, .winograd, .winograd, .oneDNN, .winograd, .oneDNN,
    ]
    #expect(few.dropFirst().map(\.inputGradient) == Array(dense.dropFirst()))
    // Of three channels.
    #expect(few[0].inputGradient == .oneDNN)
    let many = network.kernels(at: densities(0.95), samples: 32)
    #expect(many.map(\.forward) == dense && many.map(\.weightGradient) == dense)
    // One layer's rate moves that layer alone.
    var mixed = densities(0.95)
    mixed["layer2.0.conv2"] = 0.05
    #expect(
      network.kernels(at: mixed, samples: 32).filter { $0.forward == .events }.map(\.layer) == [
        "layer2.0.conv2"
      ])
    let forced = try self.network(.events).kernels(at: densities(0.95), samples: 32)
    #expect(forced.map(\.forward) == [.oneDNN, .events, .events, .events, .events, .oneDNN])
  }

  @Test func theSummaryNamesTheFewerLayers() throws {
    let network = try network()
    #expect(
      network.kernels(at: densities(0.05), samples: 32).summary
        == "forward and weight gradient events in 4 layers, onednn in 1 layer (layer2.0.shortcut),"
        + " winograd in 1 layer (conv1)")
    #expect(
      network.kernels(at: densities(0.95), samples: 32).summary
        == "forward and weight gradient winograd in 4 layers, onednn in 2 layers (layer2.0.conv1,"
        + " layer2.0.shortcut)")
    var mixed = densities(0.95)
    mixed["layer2.0.conv2"] = 0.05
    // Between the limits of the two passes.
    mixed["layer1.0.conv1"] = 0.15
    #expect(
      network.kernels(at: mixed, samples: 32).summary
        == "forward winograd in 3 layers, onednn in 2 layers (layer2.0.conv1, layer2.0.shortcut),"
        + " events in 1 layer (layer2.0.conv2); weight gradient onednn in 2 layers,"
        + " events in 2 layers (layer1.0.conv1, layer2.0.conv2), winograd in 2 layers (conv1, layer1.0.conv2)")
    // So many that their names would fill the screen.
    let many = (0..<20).map { index in
      var use = network.kernels(at: densities(0.05), samples: 32)[index % 2]
      use.layer = "layer\(index)"
      return use
    }
    #expect(
      many.summary
        == "forward and weight gradient events in 10 layers, winograd in 10 layers")
  }

  @Test func isJSON() throws {
    let uses = try network().kernels(at: ["layer1.0.conv1": 0.05], samples: 32)
    #expect(
      uses[0].json
        == #"{"forward": "winograd", "input_gradient": "onednn", "weight_gradient": "winograd"}"#)
    #expect(
      uses[1].json
        == #"{"input_density": 0.05, "forward": "events", "input_gradient": "winograd", "#
        + #""weight_gradient": "events"}"#)
  }
}
