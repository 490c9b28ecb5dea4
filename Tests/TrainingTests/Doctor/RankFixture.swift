@testable import Training

extension RankReport {
  /// A rank whose launcher may use cores 0-7.
  static func rank(
    _ rank: Int, node: Int = 0, cores: [Int], threads: Int? = nil, _ findings: [Finding] = []
  ) -> RankReport {
    var report = RankReport(
      rank: rank, hostName: "host\(node)", node: node, cores: cores,
      launcherCores: Array(0..<8), threads: threads ?? cores.count, availableMemory: 4 << 30)
    report.findings = findings
    return report
  }
}
