import Testing

@testable import HostChecks

struct PlacementCheckTests {
  @Test func everyCoreOnceIsFine() {
    let ranks = [RankExamination.rank(0, cores: [0, 1, 2, 3]), .rank(1, cores: [4, 5, 6, 7])]
    let finding = PlacementCheck.finding(ranks)
    #expect(finding.status == .ok && finding.text == "2 ranks on 1 host, a core for every thread")
  }

  @Test func unboundRanksMayShareCores() {
    let all = Array(0..<8)
    let ranks = [RankExamination.rank(0, cores: all, threads: 4), .rank(1, cores: all, threads: 4)]
    #expect(PlacementCheck.finding(ranks).status == .ok)
  }

  @Test func moreThreadsThanCoresAreAWarning() {
    let ranks = (0..<3).map { RankExamination.rank($0, cores: [0, 1], threads: 1) }
    let finding = PlacementCheck.finding(ranks)
    #expect(finding.status == .warning)
    #expect(finding.text == "3 threads of 3 ranks share 2 cores (0-1) on host0")
  }

  @Test func boundRanksMustNotOverlap() {
    let ranks = [
      RankExamination.rank(0, cores: [0, 1, 2, 3, 4], threads: 4),
      RankExamination.rank(1, cores: [4, 5, 6, 7], threads: 4),
    ]
    let finding = PlacementCheck.finding(ranks)
    #expect(finding.status == .warning)
    #expect(finding.text.contains("ranks 0 and 1 on host0"))
    #expect(finding.text.hasSuffix("overlap: 0-4 and 4-7"))
  }

  /// What mpirun does when nothing is said.
  @Test func idleCoresAreAWarning() {
    let fine = (0..<8).map { RankExamination.rank($0, cores: [$0]) }
    let bound = (8..<10).map { RankExamination.rank($0, node: 8, cores: [$0 - 8]) }
    let finding = PlacementCheck.finding(fine + bound)
    #expect(finding.status == .warning)
    #expect(finding.text == "2 ranks on host8 may use 2 of 8 cores (0-1)")
    #expect(finding.advice?.contains("--map-by slot:PE=") == true)
  }
}
