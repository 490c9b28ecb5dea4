import Foundation
import TestSupport
import Testing

struct BenchStepTests {
  private struct Report: Decodable {
    struct Phase: Decodable {
      let name: String
      let seconds: Double
    }

    struct Layer: Decodable {
      let name: String
      let input_density: Double?
      let forward_kernels, input_gradient_kernels: [String: Double]
      let phases: [Phase]
    }

    struct Variant: Decodable {
      let method, precision, kernels: String
      let threads: Int
      let images_per_second: [Double]
      let firing_rate: Double
      let phases: [Phase]
      let layers: [Layer]
    }

    let source: String
    let global_batch: Int
    let variants: [Variant]
  }

  private let workspace: Workspace

  init() throws {
    workspace = try Workspace.withImages()
  }

  private func bench(
    _ arguments: String..., ranks: Int? = nil, usesOneThread: Bool = true
  ) throws -> ProgramRun {
    try workspace.run(
      ["bench", "step", "--config", "small.yaml", "--rounds", "2", "--seconds", "0.01"]
        + arguments, ranks: ranks, usesOneThread: usesOneThread)
  }

  private func report(_ name: String) throws -> Report {
    try JSONDecoder().decode(Report.self, from: Data(try workspace.text(name).utf8))
  }

  @Test func measuresAllCombinations() throws {
    let run = try bench(
      "--methods", "sltt,sltt-k,bptt", "--kernels", "dense,events", "--output", "results")
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains("ms an iteration") && !run.output.contains("warning"))
    let report = try report("results/step.json")
    #expect(report.global_batch == 10 && report.source.contains("a firing rate of 15.0 %"))
    #expect(
      report.variants.map { "\($0.method) \($0.precision) \($0.kernels)" } == [
        "sltt float32 dense", "sltt float32 events", "sltt-k float32 dense",
        "sltt-k float32 events", "bptt float32 dense", "bptt float32 events",
      ])
    for variant in report.variants {
      #expect(variant.images_per_second.count == 2)
      #expect(variant.images_per_second.allSatisfy { $0 > 0 })
      #expect(abs(variant.firing_rate - 0.15) < 0.03)
      #expect(
        variant.phases.map(\.name) == [
          "stem", "forward", "backward input", "backward weights", "neuron", "norm", "dropout",
          "pooling", "classifier", "reduce", "update", "data wait", "other",
        ])
      let convolution = try #require(variant.layers.first { $0.name == "layer1.0.conv2" })
      let kernel = variant.kernels == "events" ? "events" : "onednn"
      #expect(convolution.forward_kernels == [kernel: 1])
      #expect(convolution.input_gradient_kernels == ["onednn": 1])
      #expect(
        convolution.phases.map(\.name) == ["forward", "backward input", "backward weights"])
    }
  }

  @Test func tellsWhatDoesNotGetFasterWithThreads() throws {
    let run = try bench("--threads", "1,2", "--output", "results", usesOneThread: false)
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains("serial share of the iteration"))
    #expect(run.output.contains("sltt float32 auto, 2 threads"))
    #expect(try report("results/step.json").variants.map(\.threads) == [1, 2])
  }

  @Test func warnsWhereHardlyAnythingFires() throws {
    let run = try bench("--firing-rate", "0.005")
    #expect(run.status == 0 && run.output.contains("warning: the firing rate is 0."))
  }

  @Test func takesACheckpointsNetworkAndData() throws {
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", "--set", "training.epochs=1")
    #expect(training.status == 0)
    let run = try workspace.run(
      "bench", "step", "--checkpoint", "run", "--rounds", "1", "--seconds", "0.01", "--output",
      "results", ranks: 2)
    #expect(run.status == 0 && run.errors == "")
    let report = try report("results/step.json")
    #expect(report.source.contains("/run/checkpoints/"))
    #expect(report.variants.count == 1)
  }

  @Test func wrongOptionsAreRefused() throws {
    #expect(
      try bench("--methods", "slt").errors.contains("'slt' is not one of sltt, sltt-k, bptt"))
    #expect(try bench("--kernels", "").errors.contains("the list is empty"))
    #expect(try bench("--firing-rate", "0.5").errors.contains("must be from 0.001 to 0.4"))
    #expect(
      try bench("--firing-rate", "0.1", "--checkpoint", "run").errors.contains(
        "--firing-rate: with --checkpoint"))
    #expect(
      try bench("--threads", "2,0", usesOneThread: false).errors.contains(
        "'0' is not a number of threads"))
    #expect(try bench("--rounds", "0").errors.contains("must be from 1 to 100000"))
  }
}
