import Foundation
import SafeTensors
import SpikingNetworks
import Tensors
import TestSupport
import Testing

@testable import Training

struct ResumePointTests {
  private let directory: TemporaryDirectory
  private var path: String { directory.file("state.safetensors") }
  private let position = Checkpoint.Position(epoch: 1, iteration: 7, samples: 70)

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

  /// A network and an optimizer that were restored take the same next step, bit for bit.
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
    try ResumePoint.write(original, optimizer, position: position, globalBatch: 10, to: path)

    let (restored, other) = (try network(seed: 2), optimizers(count)[index])
    let point = try ResumePoint(contentsOf: path)
    #expect(point.position == position && point.globalBatch == 10)
    try point.restore(restored, other)
    #expect(other.updates == 1)
    #expect(restored.store.statisticValues.all.elements.allSatisfy { $0 == 0.25 })
    step(original, optimizer, -0.5)
    step(restored, other, -0.5)
    #expect(restored.store.weights.all.elements == original.store.weights.all.elements)
  }

  @Test func filesOfOtherNetworksOptimizersAndOriginAreRefused() throws {
    let original = try network(seed: 1)
    let count = original.store.weights.count
    let sgd = optimizers(count)[0]
    try ResumePoint.write(original, sgd, position: position, globalBatch: 10, to: path)
    let point = try ResumePoint(contentsOf: path)
    let wider = try network(seed: 1, classes: 4)
    #expect(throws: (any Error).self) {
      try point.restore(wider, SGD(count: wider.store.weights.count, momentum: 0.9, weightDecay: 0))
    }
    #expect(throws: SafeTensorsError.self) { try point.restore(original, optimizers(count)[2]) }
    try SafeTensorsWriter.write([], metadata: ["position": position.json], to: path)
    #expect(throws: CheckpointError.self) { try ResumePoint(contentsOf: path) }
    try Data("no tensors".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: SafeTensorsError.self) { try ResumePoint(contentsOf: path) }
  }
}
