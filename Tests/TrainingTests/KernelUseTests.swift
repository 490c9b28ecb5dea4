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
    let few = network.kernels(at: densities(0.1))
    #expect(few.map(\.layer) == Self.layers)
    #expect(few.map(\.inputDensity) == [nil, 0.1, 0.1, 0.1, 0.1, 0.1])
    #expect(few.map(\.forward) == [.oneDNN, .events, .events, .events, .events, .oneDNN])
    #expect(few.map(\.weightGradient) == few.map(\.forward))
    #expect(few.allSatisfy { $0.inputGradient == .oneDNN })
    let many = network.kernels(at: densities(0.95))
    #expect(many.allSatisfy { $0.forward == .oneDNN && $0.weightGradient == .oneDNN })
    // One layer's rate moves that layer alone.
    var mixed = densities(0.95)
    mixed["layer2.0.conv2"] = 0.1
    #expect(
      network.kernels(at: mixed).filter { $0.forward == .events }.map(\.layer) == [
        "layer2.0.conv2"
      ])
    let forced = try self.network(.events).kernels(at: densities(0.95))
    #expect(forced.map(\.forward) == few.map(\.forward))
  }

  @Test func theSummaryNamesTheFewerLayers() throws {
    let network = try network()
    #expect(
      network.kernels(at: densities(0.1)).summary
        == "forward and weight gradient events in 4 layers, onednn in 2 layers (conv1,"
        + " layer2.0.shortcut)")
    #expect(
      network.kernels(at: densities(0.95)).summary
        == "forward and weight gradient onednn in 6 layers")
    var mixed = densities(0.95)
    mixed["layer2.0.conv2"] = 0.1
    // Between the limits of the two passes.
    mixed["layer1.0.conv1"] = 0.6
    #expect(
      network.kernels(at: mixed).summary
        == "forward onednn in 5 layers, events in 1 layer (layer2.0.conv2); weight gradient onednn in"
        + " 4 layers, events in 2 layers (layer1.0.conv1, layer2.0.conv2)")
    // So many that their names would fill the screen.
    let many = (0..<20).map { index in
      var use = network.kernels(at: densities(0.1))[index % 2]
      use.layer = "layer\(index)"
      return use
    }
    #expect(
      many.summary
        == "forward and weight gradient onednn in 10 layers, events in 10 layers")
  }

  @Test func isJSON() throws {
    let uses = try network().kernels(at: ["layer1.0.conv1": 0.25])
    #expect(
      uses[0].json
        == #"{"forward": "onednn", "input_gradient": "onednn", "weight_gradient": "onednn"}"#)
    #expect(
      uses[1].json
        == #"{"input_density": 0.25, "forward": "events", "input_gradient": "onednn", "#
        + #""weight_gradient": "events"}"#)
  }
}
