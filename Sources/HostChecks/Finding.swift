/// What came of looking at one thing on one rank.
struct Finding: Codable, Equatable, Sendable {
  enum Status: Int, Codable, Comparable, Sendable {
    case ok, warning, failed

    static func < (a: Status, b: Status) -> Bool { a.rawValue < b.rawValue }
  }

  /// The headings of the report, in order.
  enum Section: String, Codable, CaseIterable, Sendable {
    case program, mpi = "MPI", cpu = "CPU", memory, libraries, space, environment, math
  }

  let section: Section
  /// What was looked at; the same on every rank.
  let topic: String
  var status = Status.ok
  /// What was found.
  let text: String
  /// What to do about it, unless it is ok.
  var advice: String?
  /// What to do where the text, which should be the same on all ranks, is not; `nil` if it may differ.
  var adviceIfDiffering: String?

  func warning(_ advice: String) -> Finding {
    var finding = self
    (finding.status, finding.advice) = (.warning, advice)
    return finding
  }

  func failed(_ advice: String) -> Finding {
    var finding = self
    (finding.status, finding.advice) = (.failed, advice)
    return finding
  }

  /// - Parameter ranks: which ranks it is about, if not all.
  func line(ranks: String? = nil) -> String {
    let word =
      switch status {
      case .ok: "ok"
      case .warning: "warning"
      case .failed: "FAILED"
      }
    return "\(word): \(topic): \(text)" + (ranks.map { " (\($0))" } ?? "")
      + (advice.map { ". \($0)" } ?? "")
  }
}
