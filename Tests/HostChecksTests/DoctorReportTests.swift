import Testing

@testable import HostChecks

struct DoctorReportTests {
  private let memory = Finding(section: .memory, topic: "memory", text: "much")
  private let shared = Finding(section: .mpi, topic: "all-reduce", text: "right")

  private func report(_ findings: [[Finding]]) -> DoctorReport {
    DoctorReport(
      findings.enumerated().map { rank, findings in
        .rank(rank, node: rank / 2, cores: [2 * rank % 4, 2 * rank % 4 + 1], findings)
      }, shared: [shared])
  }

  @Test func whatIsFineEverywhereIsOneLine() {
    let report = report([[memory], [memory], [memory]])
    #expect(!report.hasFailed)
    #expect(report.verdict == "verdict: everything that training needs works")
    #expect(report.text.hasPrefix("MPI\n  ok: all-reduce: right\nmemory\n  ok: memory: much"))
  }

  @Test func whatIsWrongOnSomeRanksNamesThem() {
    let failed = Finding(section: .memory, topic: "memory", text: "none").failed("Buy some")
    let report = report([[memory], [failed], [failed], [memory.warning("Buy more")]])
    #expect(report.hasFailed)
    #expect(report.verdict == "verdict: do not train here yet: 1 check FAILED, 0 warnings")
    #expect(
      report.text.contains("\n  FAILED: memory: none (ranks 1-2 on host0, host1). Buy some"))
    #expect(!report.text.contains("Buy more"))
  }

  @Test func whatAllRanksWarnOfIsSaidOnce() {
    let report = report(Array(repeating: [memory.warning("Buy more")], count: 4))
    #expect(report.text.contains("\n  warning: memory: much. Buy more"))
    #expect(report.verdict == "verdict: everything that training needs works, with 1 warning")
    #expect(!report.hasFailed)
  }

  @Test func versionsMustAgree() {
    func library(_ version: String) -> [Finding] {
      [Finding(section: .libraries, topic: "oneDNN", text: version, adviceIfDiffering: "Upgrade")]
    }
    #expect(report([library("2"), library("2")]).text.contains("\n  ok: oneDNN: 2"))
    let mixed = report([library("2"), library("2"), library("3")])
    #expect(
      mixed.text.contains(
        "\n  warning: oneDNN: 2 on rank 0 (host0), but 3 on rank 2 (host1). Upgrade"))
    // Other figures may differ.
    var other = [Finding(section: .memory, topic: "memory", text: "less")]
    #expect(report([[memory], other]).count(.warning) == 0)
    // Something that only some ranks have to say is not lost.
    other = [Finding(section: .environment, topic: "X", text: "set").warning("Unset it")]
    #expect(report([[memory], other]).text.contains("warning: X: set (rank 1 on host0). Unset it"))
  }

  @Test func manyRanksHaveALineAHost() {
    func table(_ count: Int) -> [String] {
      let ranks = (0..<count).map { rank in
        RankExamination.rank(rank, node: rank / 4, cores: [rank % 4], [memory])
      }
      return DoctorReport(
        ranks, shared: [Finding(section: .cpu, topic: "placement", text: "x")]
      ).text.split(separator: "\n").map(String.init).filter { $0.contains("host") }
    }
    #expect(table(8).count == 1 + 8)
    #expect(table(8)[5].split(separator: " ") == ["4", "host1", "0", "1", "4.0", "GiB"])
    let many = table(4 * 25)
    #expect(many.count == 1 + 25)
    #expect(many[2].split(separator: " ") == ["4-7", "host1", "0-3", "4", "x", "1", "4.0", "GiB"])
  }

  @Test func reportsTravelAsText() throws {
    let sent = RankExamination.rank(3, node: 1, cores: [4, 5], [memory.failed("Buy \"some\"\n")])
    let received = try RankExamination(json: sent.json)
    #expect(received.rank == 3 && received.hostName == "host1" && received.cores == [4, 5])
    #expect(received.findings == sent.findings)
  }
}
