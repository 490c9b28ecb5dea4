import Tensors
import Testing

@testable import SpikingNetworks

struct NetworkSpecificationTests {
  static let good = NetworkSpecification(
    family: .resNet, blocks: [1, 1], width: 4, classes: 3, imageSize: 32)

  typealias Change = @Sendable (inout NetworkSpecification) -> Void

  /// Changes that make a specification bad, and the key that must be named.
  static let changes: [(key: String, Change)] = [
    ("blocks", { $0.blocks = [] }), ("blocks", { $0.blocks = [1, 0] }),
    ("blocks", { $0.blocks = Array(repeating: 1, count: 65) }),
    ("blocks", { $0.blocks = [.max, 1] }),
    ("width", { $0.width = 1 << 20 }), ("width", { ($0.family, $0.width) = (.vgg, 1 << 20) }),
    ("image_size", { $0.imageSize = 1 << 20 }),
    (
      "image_size",
      {
        $0.inputChannels = 1 << 16
        $0.imageSize = 256
      }
    ),
    ("width", { $0.width = 0 }), ("classes", { $0.classes = 0 }),
    ("input_channels", { $0.inputChannels = 0 }), ("image_size", { $0.imageSize = 0 }),
    ("dropout", { $0.dropout = 1 }), ("dropout", { $0.dropout = -0.1 }),
    ("dropout", { $0.dropout = .nan }), ("neuron.tau", { $0.neuron.tau = 0.9 }),
    ("neuron.tau", { $0.neuron.tau = .nan }),
    (
      "neuron.tau",
      {
        $0.neuron.tau = 1
        $0.neuron.hasLearnableTau = true
      }
    ),
    (
      "neuron.tau",
      {
        $0.neuron.tau = .infinity
        $0.neuron.hasLearnableTau = true
      }
    ),
    ("image_size", { $0.imageSize = 6 }),
    // A single weight has no variance to standardise by.
    (
      "width",
      {
        $0.family = .nfResNet
        $0.width = 1
      }
    ),
  ]

  @Test(arguments: changes)
  func problemsNameTheirKey(_ key: String, _ change: Change) {
    #expect(Self.good.problem == nil)
    var specification = Self.good
    change(&specification)
    #expect(specification.problem?.contains(key) == true)
    let error = #expect(throws: NetworkError.self) { try SpikingNetwork(specification, seed: 1) }
    #expect(error?.description == specification.problem)
  }

  /// The smallest image that works, which gives finite logits.
  @Test(
    arguments: [
      (.resNet, [1], 4), (.resNet, [1, 1], 7), (.resNet, [1, 1, 1, 1], 25),
      (.nfResNet, [1, 1, 1, 1], 1), (.nfResNetBottleneck, [1, 1], 1), (.vgg, [1, 1, 1, 1, 1], 32),
      (.vgg, [2], 2),
    ] as [(NetworkFamily, [Int], Int)])
  func smallestImagesWork(_ family: NetworkFamily, _ blocks: [Int], _ size: Int) throws {
    var specification = Self.good
    (specification.family, specification.blocks) = (family, blocks)
    specification.imageSize = size - 1
    #expect(specification.problem?.contains("image_size") == true)
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
    var specification = Self.good
    (specification.family, specification.blocks, specification.imageSize) = (family, blocks, size)
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
    var specification = Self.good
    specification.neuron.tau = .infinity
    #expect(specification.problem == nil)
    specification.neuron.tau = 1
    #expect(specification.problem == nil)
  }

  /// So that `inspect` can tell what is too large to be made.
  @Test func aPlanNeedsNoMemory() throws {
    var specification = Self.good
    specification.width = 16_384
    let plan = try NetworkPlan(specification)
    // 15 billion weights of the last block, and a third as many before.
    #expect(plan.weightCount > 10_000_000_000 && plan.weightCount < 20_000_000_000)
    #expect(plan.layers.count > 5 && plan.convolutions.count == 6)
    specification.width = 65_536
    specification.blocks = [1]
    #expect(try NetworkPlan(specification).weightCount > 70_000_000_000)
    let error = #expect(throws: NetworkError.self) { try SpikingNetwork(specification, seed: 1) }
    #expect(error?.description.contains("lower model.width") == true)
  }
}
