import Distributed
import Foundation
import Tensors
import TestSupport
import Testing

@testable import HostChecks

struct MathReportTests {
  private func check(_ engine: MathCheck.Engine, _ name: String, off error: Float) -> MathCheck {
    MathCheck(engine, name) {
      RoundingCheck([1, 1 + error], [1, 1], magnitudes: [1, 1], roundings: 2)
    }
  }

  @Test func aWrongResultFailsAndSaysWhatToDo() {
    let findings = MathReport.findings([
      check(.oneDNN, "small", off: 0x1p-23), check(.oneDNN, "large", off: 0.25),
      check(.openBLAS, "small", off: 0x1p-23),
    ])
    #expect(findings.map(\.topic) == ["convolutions by oneDNN", "convolutions by OpenBLAS"])
    #expect(findings.map(\.status) == [.failed, .ok])
    #expect(
      findings[0].text == "1 of 2 shapes wrong, worst large: element 1 is 1.25 instead of 1.0")
    #expect(findings[0].advice?.hasPrefix("Train with --backend openblas") == true)
    #expect(findings[1].text.hasPrefix("1 shape as by the plain loop, off by at most 50.0 %"))
  }

  @Test(arguments: MathCheck.Engine.allCases) func everyEngineCanFail(engine: MathCheck.Engine) {
    let findings = MathReport.findings([check(engine, "x", off: .nan)])
    #expect(findings.map(\.status) == [.failed] && findings[0].advice != nil)
    let report = DoctorReport([.rank(0, cores: [0], findings)], shared: [])
    #expect(report.hasFailed && report.verdict.hasPrefix("verdict: do not train here yet"))
  }

  @Test func aCrashLeavesAVerdict() throws {
    let run = try ProgramRun.ofTests("CrashingCheck/usesAnUnknownInstruction", ranks: 1)
    #expect(run.status == 1, "\(run.errors)")
    #expect(run.output.contains("\n  FAILED: convolutions by oneDNN: 3x3 crashed, as where"))
    #expect(run.output.contains("\nverdict: do not train here yet: 1 check FAILED, 0 warnings\n"))
  }
}

/// What the rank of that job does.
@Suite(.enabled(if: Launch.current.isByMPI))
struct CrashingCheck {
  @Test func usesAnUnknownInstruction() throws {
    _ = try Launch.current.communicator()
    let check = MathCheck(.oneDNN, "3x3") {
      raise(SIGILL)
      return RoundingCheck([], [], magnitudes: [], roundings: 1)
    }
    _ = MathReport.findings([check])
  }
}
