import TestSupport
import Testing

@testable import Tensors

/// `training.precision`, on this processor and on one that lets oneDNN have no bfloat16.
struct PrecisionTests {
  /// The weights after one iteration.
  private func train(_ precision: String, environment: [String: String]) throws -> [String: [Float]]
  {
    let workspace = try Workspace.withImages()
    let run = try ProgramRun(
      [
        try ProgramRun.path(ofProduct: "sltt-dist"), "train", "--config", "small.yaml",
        "--set", "model.width=32", "--set", "training.max_iterations=1",
        "--set", "training.precision=\(precision)", "--output", "run", "--threads", "1",
      ], in: workspace.directory.path, environment: environment)
    #expect(run.status == 0 && run.errors == "")
    return try workspace.tensors("run/checkpoints/latest/model.safetensors")
  }

  @Test func withoutBFloat16MixedIsSinglePrecision() throws {
    let narrow = ["ONEDNN_MAX_CPU_ISA": "AVX2"]
    let mixed = try train("mixed", environment: narrow)
    #expect(mixed == (try train("float32", environment: narrow)))
  }

  @Test func mixedDiffersByRounding() throws {
    let difference = relativeDifference(
      try train("mixed", environment: [:]), try train("float32", environment: [:]))
    #expect(difference < 0.05 && (difference > 0) == Precision.hasBFloat16)
  }
}
