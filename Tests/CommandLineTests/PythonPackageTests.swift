import Foundation
import TestSupport
import Testing

/// The Python package in `python/`: its own tests, against the program, and its networks against the reference
/// results.
struct PythonPackageTests {
  private static let repository = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../..").standardized.path

  private func expectSuccess(of program: String, _ arguments: [String] = []) throws {
    let run = try Python.runProgram(
      "\(Self.repository)/\(program)", arguments,
      environment: [
        "PYTHONPATH": "\(Self.repository)/python",
        "SLTT_DIST": try ProgramRun.path(ofProduct: "sltt-dist"),
        "OMP_NUM_THREADS": "1",
      ], timeLimit: 300)
    #expect(run.status == 0, "\(run.output)\(run.errors)")
  }

  @Test(.enabled(if: Python.has("numpy"), "no Python with numpy"))
  func startsRunsAndReadsTheirMetrics() throws {
    try expectSuccess(of: "python/tests/test_runs.py")
  }

  @Test(.enabled(if: Python.has("numpy", "pandas"), "no Python with pandas"))
  func documentsAnExampleThatRuns() throws {
    try expectSuccess(of: "python/tests/test_documentation.py")
  }

  @Test(
    .enabled(
      if: Python.has("torch", "safetensors", "numpy", "PIL", "yaml"),
      "no Python with torch, safetensors, numpy, pillow and pyyaml"),
    arguments: [
      ["python/tests/test_networks.py"], ["Benchmarks/pytorch/check_models.py", "[rv]*"],
    ])
  func computesWhatTheProgramComputes(command: [String]) throws {
    try expectSuccess(of: command[0], Array(command.dropFirst()))
  }
}
