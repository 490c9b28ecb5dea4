import Support
import Tensors

/// The arithmetic on this CPU against plain loops.
enum MathReport {
  /// Runs the checks; a finding for each engine. A check that kills the process leaves its own verdict.
  static func findings(_ checks: [MathCheck] = MathCheck.all()) -> [Finding] {
    MathCheck.Engine.allCases.compactMap { engine in
      let results = checks.filter { $0.engine == engine }.map { check in
        (check.name, CrashNote.with(lastWords(check)) { check.run() })
      }
      guard let worst = results.max(by: { $0.1.worst < $1.1.worst }) else { return nil }
      func finding(_ text: String) -> Finding {
        Finding(section: .math, topic: engine.rawValue, text: text)
      }
      let wrong = results.filter { !$0.1.isCorrect }
      guard wrong.isEmpty else {
        let check = worst.1
        return finding(
          "\(wrong.count) of \(Format.counted(results.count, "shape")) wrong, worst \(worst.0):"
            + " element \(check.element) is \(check.actual) instead of \(check.expected)"
        ).failed(advice(engine))
      }
      return finding(
        "\(Format.counted(results.count, "shape")) as by the plain loop, off by at most"
          + " \(Format.percent(worst.1.worst)) of what rounding explains")
    }
  }

  private static func lastWords(_ check: MathCheck) -> String {
    let crash = Finding(
      section: .math, topic: check.engine.rawValue,
      text: "\(check.name) crashed, as where a library uses instructions that the CPU does not have"
    ).failed(advice(check.engine))
    return "math\n  \(crash.line())\n\n\(DoctorReport([], shared: [crash]).verdict)\n"
  }

  private static func advice(_ engine: MathCheck.Engine) -> String {
    switch engine {
    case .matrixProducts, .openBLAS:
      "Try other kernels of OpenBLAS, such as OPENBLAS_CORETYPE=Haswell, or another version of it"
    case .oneDNN:
      "Train with --backend openblas, or try ONEDNN_MAX_CPU_ISA=AVX2 or another version of oneDNN"
    case .winograd, .events, .tiles:
      "Train with --kernels dense, and report this with the model of the CPU"
    case .neurons:
      "Do not train on this CPU, and report this with its model"
    }
  }
}
