import Foundation
import TestSupport
import Testing

/// The scripts in `Benchmarks/paper`, in their short form.
struct PaperClaimsTests {
  private static let repository = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../..").standardized.path

  @Test(
    .enabled(if: Python.has("numpy"), "no Python with numpy"),
    arguments: ["gradients", "memory", "multiplications", "sltt-k", "accuracy"])
  func measuresWhatMustHoldAtAnySize(claim: String) throws {
    let run = try Python.runProgram(
      "\(Self.repository)/Benchmarks/paper/check_claims.py", [claim],
      environment: [
        "PYTHONPATH": "\(Self.repository)/python",
        "SLTT_DIST": try ProgramRun.path(ofProduct: "sltt-dist"),
        "OMP_NUM_THREADS": "1",
      ], timeLimit: 300)
    #expect(run.status == 0, "\(run.output)\(run.errors)")
  }
}
