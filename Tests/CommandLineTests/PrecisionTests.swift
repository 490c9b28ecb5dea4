import TestSupport
import Testing

@testable import Tensors

/// `training.precision`, on this processor and on one that lets oneDNN have no bfloat16.
struct PrecisionTests {
  /// The momentum after one iteration: its gradient, and a little of the weights.
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
    return try workspace.tensors("run/checkpoints/latest/optimizer.safetensors")
  }

  @Test func withoutBFloat16MixedIsSinglePrecision() throws {
    let narrow = ["ONEDNN_MAX_CPU_ISA": "AVX2"]
    let mixed = try train("mixed", environment: narrow)
    #expect(mixed == (try train("float32", environment: narrow)))
  }

  @Test(arguments: [
    [], ["method.name=sltt-k", "method.k=1"], ["method.name=bptt"], ["method.name=ottt"],
    ["method.name=rate"], ["neuron.kind=clif"], ["neuron.kind=plif"], ["neuron.reset=hard"],
    ["neuron.levels=4"], ["training.memory=lean", "method.name=rate"],
    ["training.memory=lean", "method.name=ottt"],
  ])
  func mixedDiffersByRounding(_ keys: [String]) throws {
    let difference = relativeDifference(
      try train("mixed", keys, environment: [:]), try train("float32", keys, environment: [:]))
    #expect(difference < 0.05 && (difference > 0) == Precision.hasBFloat16)
  }

  /// Behind a norm of so few samples, a spike that rounding makes or takes changes much.
  @Test(arguments: [
    ["model.normalization=online"], ["training.memory=lean"], ["method.name=rate"],
    ["method.name=bptt"],
  ])
  func mixedPointsTheSameWay(_ keys: [String]) throws {
    let keys = keys + ["model.family=resnet", "model.blocks=[1, 1]"]
    let mixed = try train("mixed", keys, environment: [:])
    let exact = try train("float32", keys, environment: [:])
    func product(_ a: [String: [Float]], _ b: [String: [Float]]) -> Double {
      a.reduce(0) { sum, tensor in
        zip(tensor.value, b[tensor.key]!).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
      }
    }
    let cosine =
      product(mixed, exact) / (product(mixed, mixed) * product(exact, exact)).squareRoot()
    #expect(cosine > 0.95 && (cosine < 1) == Precision.hasBFloat16, "\(cosine)")
  }
}
