import Foundation
import TestSupport
import Testing

/// Runs a Python program of this repository with the package in `python/` and the built program.
///
/// - Parameter program: its path in the repository.
func expectSuccess(ofProgram program: String, _ arguments: [String] = []) throws {
  let repository = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
  let run = try Python.runProgram(
    repository.appendingPathComponent(program).path, arguments,
    environment: [
      "PYTHONPATH": repository.appendingPathComponent("python").path,
      "SLTT_DIST": try ProgramRun.path(ofProduct: "sltt-dist"),
      "OMP_NUM_THREADS": "1",
    ], timeLimit: 300)
  #expect(run.status == 0, "\(run.output)\(run.errors)")
}
