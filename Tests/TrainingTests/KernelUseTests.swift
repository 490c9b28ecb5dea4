import SpikingNetworks
import Testing

@testable import Tensors
@testable import Training

struct KernelUseTests {
  private func network(
    _ kernels: ConvolutionBackend.Kernels = .auto, width: Int = 64
  ) throws -> SpikingNetwork {
    try SpikingNetwork(
      NetworkSpecification(
        family: .resNet, blocks: [1, 1], width: width, classes: 3, imageSize: 16),
      backend: ConvolutionBackend(kernels: kernels, costs: .zen5), seed: 1,
      arena: Arena(capacity: 64 << 20))
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
    let few = network.kernels(at: densities(0.1), samples: 6)
    #expect(few.map(\.layer) == Self.layers)
    #expect(few.map(\.inputDensity) == [nil, 0.1, 0.1, 0.1, 0.1, 0.1])
    #expect(
      few.dropFirst().map(\.forward) == [.events, .events, .events, .events, .oneDNN])
    #expect(few.dropFirst().map(\.weightGradient) == few.dropFirst().map(\.forward))
    // Of stride 1, of stride 2, and of a 1x1 window.
    #expect(
      few.dropFirst().map(\.inputGradient) == [.winograd, .winograd, .oneDNN, .winograd, .oneDNN])
    let many = network.kernels(at: densities(0.95), samples: 6)
    #expect(
      many.dropFirst().map(\.forward) == [.winograd, .winograd, .oneDNN, .winograd, .oneDNN])
    // One layer's rate moves that layer alone.
    var mixed = densities(0.95)
    mixed["layer2.0.conv2"] = 0.1
    #expect(
      network.kernels(at: mixed, samples: 6).filter { $0.forward == .events }.map(\.layer) == [
        "layer2.0.conv2"
      ])
    let forced = try self.network(.events).kernels(at: densities(0.95), samples: 6)
    #expect(forced.dropFirst().map(\.forward) == few.dropFirst().map(\.forward))
  }

  private func use(
    _ layer: String, forward: ConvolutionKernel, weightGradient: ConvolutionKernel? = nil
  ) -> KernelUse {
    KernelUse(
      layer: layer, inputDensity: 0.25, forward: forward, inputGradient: .winograd,
      weightGradient: weightGradient ?? forward)
  }

  @Test func theSummaryNamesTheFewerLayers() {
    let stem = use("conv1", forward: .oneDNN)
    let (a, b) = (use("a", forward: .events), use("b", forward: .events))
    #expect([a].summary == "forward and weight gradient events in 1 layer")
    #expect(
      [stem, a, b].summary
        == "forward and weight gradient events in 2 layers, onednn in 1 layer (conv1)")
    let c = use("c", forward: .winograd, weightGradient: .events)
    #expect(
      [stem, a, b, c].summary
        == "forward events in 2 layers, onednn in 1 layer (conv1), winograd in 1 layer (c);"
        + " weight gradient events in 3 layers, onednn in 1 layer (conv1)")
    // So many that their names would fill the screen.
    let many = (0..<7).map { use("\($0)", forward: .oneDNN) } + (0..<8).map { _ in a }
    #expect(many.summary == "forward and weight gradient events in 8 layers, onednn in 7 layers")
  }

  @Test func isJSON() {
    var use = use("a", forward: .events, weightGradient: .oneDNN)
    #expect(
      use.json
        == #"{"input_density": 0.25, "forward": "events", "input_gradient": "winograd", "#
        + #""weight_gradient": "onednn"}"#)
    use.inputDensity = nil
    #expect(use.json.hasPrefix(#"{"forward": "#))
  }
}
