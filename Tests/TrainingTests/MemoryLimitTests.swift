import Configuration
import Distributed
import SpikingNetworks
import TestSupport
import Testing

@testable import Training

struct MemoryLimitTests {
  private func memory(_ mebibytes: Int, limit: Int? = nil) throws -> NodeMemory {
    try #require(
      NodeMemory(
        information: "MemTotal: \(mebibytes << 10) kB\nMemAvailable: 1 kB\n",
        limit: limit.map { $0 << 20 }))
  }

  private func estimate(_ overrides: [String]) throws -> (Configuration, MemoryEstimate) {
    let configuration = try Configuration(file: nil, overrides: overrides)
    let network = try NetworkPlan(configuration.networkSpecification(classes: 10))
    return (
      configuration,
      MemoryEstimate(
        network, configuration, ranks: 1,
        batch: configuration.training.globalBatch, optimizerBuffers: 1, before: 0)
    )
  }

  @Test func isOfTheMachineOrItsControlGroupDividedAmongTheRanks() throws {
    let (configuration, estimate) = try estimate([])
    let needed = estimate.totalBytes >> 20
    try configuration.require(estimate, of: memory(needed + 1), ranks: 1)
    try configuration.require(estimate, of: nil, ranks: 1)
    for (memory, ranks) in [
      (try memory(needed), 1), (try memory(2 * needed), 2),
      (try memory(9 * needed, limit: needed), 1),
    ] {
      #expect(throws: ConfigurationError.self) {
        try configuration.require(estimate, of: memory, ranks: ranks)
      }
    }
  }

  /// Who predicts has no configuration to change.
  @Test(arguments: [
    (["training.global_batch=16777216"], 5000, "a batch of 5,000 inputs", "lower it with --batch"),
    (
      ["training.global_batch=16777216"], 1, "a batch of 1 input", "take a machine with more memory"
    ),
    (["model.width=4096"], 50, "a batch of 50 inputs", "take a machine with more memory"),
  ])
  func predictionsNameWhatTheirUsersCanDo(
    overrides: [String], batch: Int, beginning: String, remedy: String
  ) throws {
    let (configuration, estimate) = try estimate(overrides)
    let needed = estimate.totalBytes >> 20
    try configuration.requireToPredict(estimate, of: memory(needed + 1), batch: batch)
    try configuration.requireToPredict(estimate, of: nil, batch: batch)
    let text = message {
      try configuration.requireToPredict(estimate, of: memory(1024), batch: batch)
    }
    #expect(text.hasPrefix("\(beginning) needs about "), "\(text)")
    #expect(text.contains(", but the machine has 1.0 GiB: \(remedy)"), "\(text)")
  }

  @Test(arguments: [
    (["training.global_batch=16777216"], "training.global_batch = 16777216 needs about"),
    (["model.width=4096"], "model.width = 4096 needs about"),
    (
      [
        "training.global_batch=16777216", "method.timesteps=10000", "method.name=bptt",
        "data.image_size=4096",
      ], "training.global_batch = 16777216 needs about"
    ),
  ])
  func refusalsNameWhatTakesMost(overrides: [String], beginning: String) throws {
    let (configuration, estimate) = try estimate(overrides)
    let text = message { try configuration.require(estimate, of: memory(4096), ranks: 1) }
    #expect(text.contains(": " + beginning), "\(text)")
    #expect(text.contains("but the machine has 4.0 GiB for each: lower it"), "\(text)")
  }
}
