import TestSupport
import Testing

/// The Python package in `python/`: its own tests, against the program, and its networks against the reference
/// results.
struct PythonPackageTests {
  @Test(
    .enabled(if: Python.has("numpy"), "no Python with numpy"),
    .enabled(if: ProgramRun.hasOpenMPI, "its jobs have options of Open MPI's mpirun"))
  func startsRunsAndReadsTheirMetrics() throws {
    try expectSuccess(ofProgram: "python/tests/test_runs.py")
  }

  @Test(.enabled(if: Python.has("numpy", "pandas"), "no Python with pandas"))
  func documentsAnExampleThatRuns() throws {
    try expectSuccess(ofProgram: "python/tests/test_documentation.py")
  }

  @Test(
    .enabled(
      if: Python.has("torch", "safetensors", "numpy", "PIL", "yaml"),
      "no Python with torch, safetensors, numpy, pillow and pyyaml"),
    arguments: [
      ["python/tests/test_networks.py"], ["Benchmarks/pytorch/check_models.py", "[rv]*"],
    ])
  func computesWhatTheProgramComputes(command: [String]) throws {
    try expectSuccess(ofProgram: command[0], Array(command.dropFirst()))
  }
}
