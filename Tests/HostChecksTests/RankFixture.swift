@testable import HostChecks

extension RankExamination {
  /// A rank whose launcher may use cores 0-7.
  static func rank(
    _ rank: Int, node: Int = 0, cores: [Int], threads: Int? = nil, _ findings: [Finding] = []
  ) -> RankExamination {
    var report = RankExamination(
      rank: rank, hostName: "host\(node)", node: node, cores: cores,
      launcherCores: Array(0..<8), threads: threads ?? cores.count, availableMemory: 4 << 30)
    report.findings = findings
    return report
  }
}
