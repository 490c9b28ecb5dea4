import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct NetworkSpecificationTests {
  private static func network(
    _ family: NetworkFamily = .resNet, _ blocks: [Int] = [1, 1], width: Int = 4,
    imageSize: Int = 32
  ) -> NetworkSpecification {
    NetworkSpecification(
      family: family, blocks: blocks, width: width, classes: 3, imageSize: imageSize)
  }

  /// Values that make no sense, and the key that must be named.
  static let changes: [(key: String, @Sendable (inout NetworkSpecification) -> Void)] = [
    ("model.classes", { $0.classes = 0 }), ("model.input_channels", { $0.inputChannels = 0 }),
    ("data.image_size", { $0.imageSize = 0 }), ("model.dropout", { $0.dropout = 1 }),
    ("model.dropout", { $0.dropout = -0.1 }), ("model.dropout", { $0.dropout = .nan }),
    ("neuron.tau", { $0.neuron.tau = 0.9 }), ("neuron.tau", { $0.neuron.tau = .nan }),
    ("neuron.tau", { ($0.neuron.tau, $0.neuron.kind) = (1, .plif) }),
    ("neuron.tau", { ($0.neuron.tau, $0.neuron.kind) = (.infinity, .plif) }),
    ("neuron.levels", { $0.neuron.levels = 16 }),
    (
      "model.normalization",
      { ($0.parts, $0.normalization) = (network(.nfResNet).parts, .online) }
    ),
  ]

  @Test(arguments: changes)
  func problemsNameTheirKey(
    _ key: String, _ change: @Sendable (inout NetworkSpecification) -> Void
  ) {
    var specification = Self.network()
    #expect(specification.problem == nil)
    change(&specification)
    #expect(specification.problem?.cause == .setting(key))
    #expect(specification.problem?.description.hasPrefix(key + " ") == true)
    let error = #expect(throws: NetworkError.self) { try SpikingNetwork(specification, seed: 1) }
    #expect(error == specification.problem)
  }

  /// What has to change where the parts are those of a published network.
  @Test func publishedNetworksFitOrSayWhatDoesNot() {
    func cause(_ specification: NetworkSpecification) -> NetworkError.Cause? {
      specification.problem?.cause
    }
    #expect(cause(Self.network(imageSize: 6)) == .imageTooSmall)
    #expect(cause(Self.network(imageSize: 1 << 20)) == .imageTooLarge)
    #expect(cause(Self.network(width: 1 << 20)) == .tooManyWeights)
    #expect(cause(Self.network(.vgg, width: 1 << 20)) == .tooManyWeights)
    // A single weight has no variance to standardise by.
    #expect(cause(Self.network(.nfResNet, width: 1)) == .tooFewChannels)
    var wide = Self.network(imageSize: 256)
    wide.inputChannels = 1 << 16
    #expect(cause(wide) == .imageTooLarge)
  }

  /// The smallest image that works, which gives finite logits.
  @Test(
    arguments: [
      (.resNet, [1], 4), (.resNet, [1, 1], 7), (.resNet, [1, 1, 1, 1], 25),
      (.nfResNet, [1, 1, 1, 1], 1), (.nfResNetBottleneck, [1, 1], 1), (.vgg, [1, 1, 1, 1, 1], 32),
      (.vgg, [2], 2),
    ] as [(NetworkFamily, [Int], Int)])
  func smallestImagesWork(_ family: NetworkFamily, _ blocks: [Int], _ size: Int) throws {
    var specification = Self.network(family, blocks)
    #expect(specification.smallestImage == size)
    specification.imageSize = size - 1
    let cause = specification.problem?.cause
    #expect(size == 1 ? cause == .setting("data.image_size") : cause == .imageTooSmall)
    specification.imageSize = size
    #expect(specification.problem == nil)
    let arena = Arena(capacity: 64 << 20)
    let network = try SpikingNetwork(specification, seed: 1, arena: arena)
    var tape = Tape(arena: arena)
    tape.isRecording = false
    network.beginSequence(IterationContext())
    let shape = specification.input.withSamples(2)
    let frame = Tensor(shape, randomFloats(shape.count, seed: 1), in: arena)
    let logits = network.forward(network.stem(frame), saving: &tape)
    #expect(logits.tensor.shape == Shape(n: 2, c: 3))
    #expect(logits.tensor.elements.allSatisfy { $0.isFinite })
  }

  /// Batch norm has a variance of a single sample in the smallest image.
  @Test(
    arguments: [(.resNet, [1], 4), (.resNet, [1, 1, 1], 13), (.vgg, [2], 2), (.vgg, [1, 1], 4)]
      as [(NetworkFamily, [Int], Int)])
  func aSingleSmallestImageCanBeTrainedOn(
    _ family: NetworkFamily, _ blocks: [Int], _ size: Int
  ) throws {
    let specification = Self.network(family, blocks, imageSize: size)
    let arena = Arena(capacity: 64 << 20)
    let network = try SpikingNetwork(specification, seed: 1, arena: arena)
    var tape = Tape(arena: arena)
    tape.isTraining = true
    tape.isRecording = false
    network.beginSequence(IterationContext())
    let frame = Tensor(
      specification.input, randomFloats(specification.input.count, seed: 1), in: arena)
    _ = network.forward(network.stem(frame), saving: &tape)
    let variances = network.store.statistics.filter { $0.minimum == 0 }
    #expect(!variances.isEmpty)
    #expect(variances.allSatisfy { $0.values.elements.allSatisfy { $0.isFinite && $0 > 0 } })
  }

  @Test func infinityIsATimeConstant() {
    var specification = Self.network()
    specification.neuron.tau = .infinity
    #expect(specification.problem == nil)
    specification.neuron.tau = 1
    #expect(specification.problem == nil)
  }

  /// So that `inspect` can tell what is too large to be made.
  @Test func aPlanNeedsNoMemory() throws {
    let plan = try NetworkPlan(Self.network(width: 16_384))
    // 15 billion weights of the last block, and a third as many before.
    #expect(plan.weightCount > 10_000_000_000 && plan.weightCount < 20_000_000_000)
    #expect(plan.layers.count > 5 && plan.convolutions.count == 6)
    let larger = Self.network(.resNet, [1], width: 65_536)
    #expect(try NetworkPlan(larger).weightCount > 70_000_000_000)
    let error = #expect(throws: NetworkError.self) { try SpikingNetwork(larger, seed: 1) }
    #expect(error?.description.contains("take fewer channels or layers") == true)
  }
}
