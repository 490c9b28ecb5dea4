import Configuration
import Foundation
import SpikingNetworks
import Tensors
import TestSupport
import Testing

@testable import Training

struct CheckpointTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func network(seed: UInt64, classes: Int = 3) throws -> SpikingNetwork {
    try SpikingNetwork(
      NetworkSpecification(
        family: .resNet, blocks: [1, 1], width: 4, classes: classes, imageSize: 8),
      seed: seed, arena: Arena(capacity: 1 << 26))
  }

  private func optimizers(_ count: Int) -> [any ParameterOptimizer] {
    [
      SGD(count: count, momentum: 0.9, weightDecay: 1e-4),
      SGD(count: count, momentum: 0, weightDecay: 0), AdamW(count: count, weightDecay: 0.01),
    ]
  }

  private func write(
    _ network: SpikingNetwork, _ optimizer: any ParameterOptimizer
  ) throws -> Checkpoint {
    try Checkpoint.write(
      try Snapshot(network, optimizer), .example(iteration: 7, updates: optimizer.updates),
      to: directory.path)
    return try Checkpoint(contentsOf: directory.path)
  }

  /// A network and an optimizer that were restored make the same next update, bit for bit.
  @Test(arguments: 0..<3) func whatIsRestoredGoesOnAsBefore(optimizer index: Int) throws {
    let original = try network(seed: 1)
    let count = original.store.weights.count
    let optimizer = optimizers(count)[index]
    func step(_ network: SpikingNetwork, _ optimizer: any ParameterOptimizer, _ factor: Float) {
      network.store.gradients.assign((0..<count).map { factor * Float($0 % 11 - 5) })
      optimizer.update(
        network.store.weights.all, along: network.store.gradients, learningRate: 0.1)
    }
    step(original, optimizer, 1)
    original.store.statisticValues.all.fill(0.25)
    let checkpoint = try write(original, optimizer)
    #expect(checkpoint.state.position.iteration == 7)
    #expect(try directory.contents == ["model.safetensors", "optimizer.safetensors", "state.json"])

    let (restored, other) = (try network(seed: 2), optimizers(count)[index])
    try checkpoint.verified().restore(restored, other.state)
    other.updates = checkpoint.state.updates
    #expect(other.updates == 1)
    #expect(restored.store.statisticValues.all.elements.allSatisfy { $0 == 0.25 })
    step(original, optimizer, -0.5)
    step(restored, other, -0.5)
    #expect(restored.store.weights.all.elements == original.store.weights.all.elements)
  }

  @Test func othersNetworksAndOptimizersAreRefusedAndKeepTheirValues() throws {
    let original = try network(seed: 1)
    let count = original.store.weights.count
    let checkpoint = try write(original, optimizers(count)[0])
    let wider = try network(seed: 1, classes: 4)
    let sgd = SGD(count: wider.store.weights.count, momentum: 0.9, weightDecay: 0)
    let before = wider.store.weights.all.elements
    #expect(throws: (any Error).self) { try checkpoint.restore(wider, sgd.state) }
    #expect(wider.store.weights.all.elements == before)
    #expect(
      message { try checkpoint.restore(original, optimizers(count)[2].state) }.contains("exp_avg"))
  }

  @Test(arguments: ["model.safetensors", "optimizer.safetensors", "state.json"])
  func damageToAnyFileIsNoticed(_ file: String) throws {
    let original = try network(seed: 1)
    let checkpoint = try write(original, optimizers(original.store.weights.count)[0])
    let path = directory.file(file)
    let intact = try Data(contentsOf: URL(fileURLWithPath: path))
    func damaged(_ change: (inout Data) -> Void) throws -> String {
      var data = intact
      change(&data)
      try directory.write(data, to: file)
      return message { try Checkpoint(contentsOf: directory.path).verified() }
    }
    try checkpoint.verified()
    let problems = [
      try damaged { $0[$0.count / 2] ^= 2 }, try damaged { $0.removeLast($0.count / 3) },
      try damaged { $0 = Data() },
    ]
    for problem in problems { #expect(problem.contains("\(file) is damaged: "), "\(problem)") }
    try FileManager.default.removeItem(atPath: path)
    #expect(
      message { try Checkpoint(contentsOf: directory.path).verified() }.contains(
        "has no \(file)"))
  }
}

extension RunState {
  /// A state of a run of three classes.
  static func example(iteration: Int, updates: Int = 0) -> RunState {
    RunState(
      position: RunPosition(iteration: iteration, samples: 10 * iteration), updates: updates,
      configuration: Configuration(), classes: ["cat", "dog \"big\"", "æ/ß"], trainingSamples: 23,
      trainingList: SampleListHash("1f"), worldSize: 2,
      reduction: .init(algorithm: "all-reduce", chunkLength: 400_000))
  }
}
