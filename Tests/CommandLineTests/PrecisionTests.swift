import TestSupport
import Testing

@testable import Tensors

/// `training.precision`, on this processor and on one that lets oneDNN have no bfloat16.
struct PrecisionTests {
  /// The weights after one iteration.
  private func train(
    _ precision: String, _ keys: [String] = [], environment: [String: String]
  ) throws -> [String: [Float]] {
    let workspace = try Workspace.withImages()
    let run = try ProgramRun(
      [
        try ProgramRun.path(ofProduct: "sltt-dist"), "train", "--config", "small.yaml",
        "--set", "model.width=32", "--set", "training.max_iterations=1",
        "--set", "training.precision=\(precision)", "--output", "run", "--threads", "1",
      ] + keys.flatMap { ["--set", $0] }, in: workspace.directory.path, environment: environment)
    #expect(run.status == 0 && run.errors == "")
    return try workspace.tensors("run/checkpoints/latest/model.safetensors")
  }

  @Test func withoutBFloat16MixedIsSinglePrecision() throws {
    let narrow = ["ONEDNN_MAX_CPU_ISA": "AVX2"]
    let mixed = try train("mixed", environment: narrow)
    #expect(mixed == (try train("float32", environment: narrow)))
  }

  @Test(arguments: [
    [], ["method.name=sltt-k", "method.k=1"], ["method.name=bptt"], ["method.name=ottt"],
    ["method.name=rate"],
    ["model.family=resnet", "model.blocks=[1, 1]", "model.normalization=online"],
    ["neuron.kind=clif"], ["neuron.kind=plif"], ["neuron.reset=hard"], ["neuron.levels=4"],
    ["training.memory=lean"], ["training.memory=lean", "method.name=rate"],
    ["training.memory=lean", "method.name=ottt"],
  ])
  func mixedDiffersByRounding(_ keys: [String]) throws {
    // A norm's bias begins with 0: it is nothing but the difference of two sums of gradients.
    func weights(_ precision: String) throws -> [String: [Float]] {
      try train(precision, keys, environment: [:]).filter { !$0.key.contains("bn") }
    }
    let difference = relativeDifference(try weights("mixed"), try weights("float32"))
    #expect(difference < 0.05 && (difference > 0) == Precision.hasBFloat16)
  }
}
