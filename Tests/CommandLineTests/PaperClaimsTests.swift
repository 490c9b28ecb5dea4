import TestSupport
import Testing

/// The scripts in `Benchmarks/paper`, in their short form.
struct PaperClaimsTests {
  @Test(
    .enabled(if: Python.has("numpy"), "no Python with numpy"),
    arguments: ["gradients", "memory", "multiplications", "sltt-k", "accuracy"])
  func measuresWhatMustHoldAtAnySize(claim: String) throws {
    try expectSuccess(ofProgram: "Benchmarks/paper/check_claims.py", [claim])
  }
}
