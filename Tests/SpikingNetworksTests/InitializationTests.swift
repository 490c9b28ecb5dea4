import Tensors
import Testing

@testable import SpikingNetworks

struct InitializationTests {
  private func network(
    _ family: NetworkFamily, width: Int = 16, size: Int = 32, seed: UInt64 = 1
  ) throws -> [String: [Float]] {
    let network = try SpikingNetwork(
      NetworkSpecification(
        family: family, blocks: [1, 1], width: width, classes: 40, imageSize: size), seed: seed,
      arena: Arena(capacity: 4 << 20))
    return Dictionary(
      uniqueKeysWithValues: (network.store.parameters + network.store.statistics).map {
        ($0.name, $0.published($0.values))
      })
  }

  /// Mean, deviation and shares within one and two deviations are those of a normal distribution.
  private func expectNormal(
    _ values: [Float], deviation: Float, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let count = Float(values.count)
    let mean = values.reduce(0, +) / count
    let square = values.reduce(0) { $0 + $1 * $1 } / count
    let tolerance = 4 / count.squareRoot()
    #expect(abs(mean) < tolerance * deviation, sourceLocation: sourceLocation)
    #expect(
      abs(square.squareRoot() / deviation - 1) < tolerance, sourceLocation: sourceLocation)
    for (multiple, share) in [(1, 0.6827), (2, 0.9545)] as [(Float, Float)] {
      let within = Float(values.count { abs($0) < multiple * deviation }) / count
      #expect(abs(within - share) < tolerance, sourceLocation: sourceLocation)
    }
  }

  private func expectUniform(
    _ values: [Float], bound: Float, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(values.allSatisfy { abs($0) <= bound }, sourceLocation: sourceLocation)
    let square = values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
    #expect(
      abs(square / (bound * bound / 3) - 1) < 4 / Float(values.count).squareRoot(),
      sourceLocation: sourceLocation)
    #expect(
      abs(values.reduce(0, +)) < 4 * bound * Float(values.count).squareRoot(),
      sourceLocation: sourceLocation)
  }

  @Test func resNetStartsAsPublished() throws {
    let values = try network(.resNet)
    expectNormal(values["conv1.weight"]!, deviation: (2 / Float(16 * 9)).squareRoot())
    expectNormal(values["layer2.0.conv1.weight"]!, deviation: (2 / Float(32 * 9)).squareRoot())
    expectNormal(values["layer2.0.shortcut.weight"]!, deviation: (2 / Float(32)).squareRoot())
    expectUniform(values["layer2.0.conv1.bias"]!, bound: 1 / Float(16 * 9).squareRoot())
    for name in ["layer1.0.bn1", "layer2.0.bn2", "bn1"] {
      #expect(values[name + ".weight"]!.allSatisfy { $0 == 1 })
      #expect(values[name + ".bias"]!.allSatisfy { $0 == 0 })
      #expect(values[name + ".running_mean"]!.allSatisfy { $0 == 0 })
      #expect(values[name + ".running_var"]!.allSatisfy { $0 == 1 })
    }
    // 32 channels of 4 x 4 pixels.
    expectUniform(values["linear.weight"]!, bound: 1 / Float(512).squareRoot())
    #expect(values["linear.bias"]!.allSatisfy { $0 == 0 })
  }

  @Test func normalizerFreeResNetStartsAsPublished() throws {
    let values = try network(.nfResNet)
    expectNormal(values["conv1.weight"]!, deviation: (2 / Float(16 * 49)).squareRoot())
    expectNormal(values["layer2.0.conv2.weight"]!, deviation: (2 / Float(32 * 9)).squareRoot())
    for name in ["conv1", "layer1.0.conv1", "layer2.0.downsample"] {
      #expect(values[name + ".bias"]!.allSatisfy { $0 == 0 })
      #expect(values[name + ".gain"]!.allSatisfy { $0 == 1 })
    }
    #expect(values["layer1.0.skipinit_gain"] == [0])
    #expect(values["fc.weight"]!.allSatisfy { $0 == 0 })
    expectUniform(values["fc.bias"]!, bound: 1 / Float(32).squareRoot())
  }

  @Test func vggStartsAsPublished() throws {
    let values = try network(.vgg)
    expectNormal(values["layer2.0.weight"]!, deviation: (2 / Float(32 * 9)).squareRoot())
    #expect(values["layer2.0.bias"]!.allSatisfy { $0 == 0 })
    #expect(values["layer2.1.weight"]!.allSatisfy { $0 == 1 })
    expectNormal(values["classifier.1.weight"]!, deviation: 0.01)
    #expect(values["classifier.1.bias"]!.allSatisfy { $0 == 0 })
  }

  @Test(arguments: NetworkFamily.allCases)
  func equalSeedsGiveEqualWeights(_ family: NetworkFamily) throws {
    let first = try network(family, seed: 7)
    #expect(try network(family, seed: 7) == first)
    let other = try network(family, seed: 8)
    #expect(other["conv1.weight", default: []] != first["conv1.weight"])
    for (name, values) in first where Set(values).count > 1 {
      #expect(other[name] != values, "\(name)")
    }
    // No two parameters share their numbers.
    let drawn = first.values.filter { Set($0).count > 1 }
    #expect(Set(drawn.map { $0[0] / $0[1] }).count == drawn.count)
  }

  @Test func learnableTauStartsAtItsValue() throws {
    let network = try SpikingNetwork(
      NetworkSpecification(
        family: .vgg, blocks: [1], width: 2, classes: 2, imageSize: 4,
        neuron: NeuronSpecification(kind: .plif, tau: 4)), seed: 1,
      arena: Arena(capacity: 4 << 20))
    // 1/tau = σ(w): w = -log(tau - 1)
    let w = network.store.parameters.first { $0.name == "layer1.2.w" }
    #expect(abs(w!.values[0] + 1.0986123) < 1e-6)
  }
}
