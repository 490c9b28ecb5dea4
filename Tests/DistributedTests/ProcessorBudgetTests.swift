import Foundation
import Testing

@testable import Distributed

@Suite struct ProcessorBudgetTests {
  private func threads(_ masks: [[UInt64]], quota: Double? = nil) -> [Int] {
    masks.indices.map { ProcessorBudget.threads(masks: masks, localRank: $0, quota: quota) }
  }

  @Test func unboundRanksShareAllCores() {
    #expect(threads([[0xff]]) == [8])
    #expect(threads([[0xff], [0xff]]) == [4, 4])
    #expect(threads([[0xff], [0xff], [0xff]]) == [2, 2, 2])
  }

  @Test func boundRanksKeepTheirCores() {
    #expect(threads([[0b0011], [0b1100]]) == [2, 2])
    #expect(threads([[0b0111], [0b1000]]) == [3, 1])
  }

  @Test func overlapsAreDivided() {
    // Cores 0-3 belong to rank 0 alone, cores 4-7 to both.
    #expect(threads([[0xff], [0xf0]]) == [6, 2])
  }

  @Test func everyRankGetsAThread() {
    #expect(threads(Array(repeating: [0b11], count: 8)) == Array(repeating: 1, count: 8))
    #expect(threads([[0]]) == [1])
  }

  @Test func fractionsThatAddUpToACoreCount() {
    // Ten ranks on ten cores: ten times a tenth.
    #expect(threads(Array(repeating: [0x3ff], count: 10)) == Array(repeating: 1, count: 10))
  }

  @Test func coresBeyondTheFirstWordCount() {
    #expect(threads([[0, 0b11, 1 << 63], [0, 0b10, 0]]) == [2, 1])
  }

  @Test func theQuotaIsSharedByTheRanks() {
    #expect(threads([[0xff], [0xff]], quota: 4) == [2, 2])
    #expect(threads([[0xff]], quota: 2.5) == [2])
    #expect(threads([[0xff]], quota: 0.5) == [1])
    #expect(threads([[0b11]], quota: 16) == [2])
  }

  @Test func masksAreReadFromTheKernelsText() {
    #expect(affinityMask(processStatus: "Name:\tx\nCpus_allowed:\t3\nMems_allowed:\t1\n") == [3])
    #expect(
      affinityMask(processStatus: "Cpus_allowed:\tff,00000000,80000001\n")
        == [0x8000_0001, 0xff])
    #expect(affinityMask(processStatus: "Cpus_allowed_list:\t0-3\n") == nil)
    #expect(affinityMask(processStatus: "Cpus_allowed:\tx\n") == nil)
  }

  @Test func theMaskOfAllCores() {
    #expect(affinityMask(coreCount: 3) == [0b111])
    #expect(affinityMask(coreCount: 64) == [.max])
    #expect(affinityMask(coreCount: 65) == [.max, 1])
  }

  @Test func thisProcessGetsNoMoreThanItsCores() throws {
    let threads = try ProcessorBudget.threads(SingleProcess())
    #expect(1...ProcessInfo.processInfo.activeProcessorCount ~= threads)
  }
}
