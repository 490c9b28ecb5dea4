@testable import Configuration
import Datasets
import Distributed
import SpikingNetworks
import TestSupport
import Testing

@testable import Training

struct ConfigurationFuzzTests {
  private static let keys = Configuration.keys.map {
    ConfigurationGenerator.Key(name: $0.name, values: $0.values, edges: $0.edges)
  }

  /// Whatever is asked for, it is refused in words or can be described; nothing large is made for that.
  @Test(arguments: 0..<8) func anythingIsDescribedOrRefused(block: UInt64) throws {
    let memory = try #require(
      NodeMemory(information: "MemTotal: 1000000 kB\nMemAvailable: 1000000 kB\n", limit: nil))
    var described = 0
    for index in 0..<50 {
      var generator = ConfigurationGenerator(Self.keys, seed: 100 * block + UInt64(index))
      let overrides = ["model.classes=10"] + generator.overrides()
      do {
        let configuration = try Configuration(file: nil, overrides: overrides)
        var copy = Configuration()
        try copy.apply(yaml: configuration.yaml, from: "config.yaml")
        #expect(copy == configuration, "\(overrides)")
        let rates = [0, configuration.training.epochs - 1].map {
          configuration.learningRateSchedule.rate(epoch: $0)
        }
        #expect(rates.allSatisfy { $0.isFinite }, "\(overrides)")
        let report = try NetworkReport(configuration)
        #expect(report.text.contains("conv"), "\(overrides)")
        let network = try NetworkPlan(configuration.networkSpecification(classes: nil))
        let estimate = MemoryEstimate(
          network, configuration, ranks: 1,
          batch: configuration.training.globalBatch,
          optimizerBuffers: configuration.optimizerBuffers, before: 0)
        #expect(estimate.totalBytes > 0, "\(overrides)")
        try configuration.require(estimate, of: memory, ranks: 1)
        described += 1
      } catch let error as ConfigurationError {
        let text = "\(error)"
        #expect(Configuration.keys.contains { text.contains($0.name) }, "\(overrides): \(text)")
      }
    }
    #expect(0 < described && described < 50, "all or none are refused")
  }

  /// What a table of keys promises.
  @Test func everyNumberHasARange() {
    for key in Configuration.keys
    where key.values.hasPrefix("a")
      && !["mapping", "layers", "list of numbers"].contains(where: key.values.contains)
    {
      #expect(key.values.contains("from "), "\(key.name): \(key.values)")
      #expect(key.edges.count == 2 || key.name == "training.seed", "\(key.name)")
    }
  }

  @Test(arguments: [
    ("training.global_batch=16777217", "an integer from 1 to 16777216"),
    ("training.epochs=2147483648", "an integer from 1 to 2147483647"),
    ("model.width=65537", "an integer from 1 to 65536"),
    ("method.timesteps=10001", "an integer from 1 to 10000"),
    ("data.image_size=1000000", "an integer from 1 to 16384"),
    ("data.workers=1025", "an integer from 1 to 1024"),
    ("optimizer.learning_rate=1e300", "a number from 1e-30 to 1e+30"),
    ("optimizer.learning_rate=1e-300", "a number from 1e-30 to 1e+30"),
    ("checkpoint.every_minutes=1e300", "a number from 1e-06 to 1e+06"),
    ("data.mixup=1e300", "a number from 0 to 1000"),
  ])
  func limitsAreSaid(override: String, range: String) {
    let text = message { _ = try Configuration(file: nil, overrides: [override]) }
    #expect(text.hasSuffix("but must be " + range), "\(text)")
  }

  @Test(arguments: [
    (
      ["model.width=65536", "model.blocks=[1,1,1]"],
      "weights: lower it, or take fewer stages or blocks"
    ),
    (["data.image_size=16384"], "has an output of 16384x16384x16, more than 2147483647 numbers"),
  ])
  func whatIsTooMuchTogetherIsRefused(overrides: [String], problem: String) throws {
    let configuration = try Configuration(file: nil, overrides: overrides)
    let text = message { _ = try configuration.networkSpecification(classes: 10) }
    #expect(text.hasPrefix("--set ") && text.contains(problem), "\(text)")
  }

  @Test func listsOfStagesHaveALimit() {
    #expect(
      message { _ = try Configuration(file: nil, overrides: ["model.blocks=[600,600]"]) }
        == "--set model.blocks=[600,600]: model.blocks [600, 600] are more than 1000 together: leave"
        + " some out")
    let blocks = Array(repeating: 1, count: 65)
    #expect(
      message { _ = try Configuration(file: nil, overrides: ["model.blocks=\(blocks)"]) }
        .hasSuffix("1 to 16 of them, each from 1 to 1000"))
  }
}
