import Distributed
import Foundation
import Support
import TestSupport
import Testing

@testable import HostChecks

/// Memory, disks, environment and processor, from given facts.
struct HostChecksTests {
  // MARK: memory

  private func memory(total: Int, available: Int, limit: Int? = nil) throws -> NodeMemory {
    try #require(
      NodeMemory(
        information: "MemTotal: \(total << 20) kB\nMemAvailable: \(available << 20) kB\n",
        limit: limit))
  }

  @Test func littleMemoryIsAWarning() throws {
    let shared = FileSystem(total: 1 << 30, available: 1 << 30)
    func status(_ memory: NodeMemory?, ranks: Int) -> Finding {
      MemoryCheck.findings(memory, shared: shared, ranks: ranks)[0]
    }
    let large = try memory(total: 16, available: 8)
    #expect(status(large, ranks: 16).status == .ok)
    #expect(status(large, ranks: 16).text == "16.0 GiB, 8.0 GiB available")
    #expect(status(large, ranks: 17).status == .warning)
    let limited = try memory(total: 16, available: 8, limit: 1 << 30)
    #expect(status(limited, ranks: 3).status == .warning)
    #expect(status(limited, ranks: 1).text.hasSuffix("the control group's limit is 1.0 GiB"))
    #expect(status(nil, ranks: 1).status == .warning)
  }

  @Test func littleSharedMemoryIsAWarning() throws {
    func finding(_ available: Int?) throws -> Finding {
      MemoryCheck.findings(
        try memory(total: 64, available: 64),
        shared: available.map { FileSystem(total: 64 << 20, available: $0) }, ranks: 8)[1]
    }
    #expect(try finding(64 << 20).status == .ok)
    #expect(try finding(63 << 20).status == .warning)
    #expect(try finding(63 << 20).advice?.contains("--shm-size") == true)
    #expect(try finding(nil).status == .warning)
  }

  // MARK: disks

  @Test func directoriesThatDoNotExistYetCountAsThoseAbove() throws {
    let directory = try TemporaryDirectory()
    let finding = SpaceCheck.finding("output", directory: directory.file("a/b"))
    #expect(finding.status != .failed && finding.text.contains(" free"))
    #expect(try directory.contents == [])
  }

  @Test func whereNothingCanBeWrittenTheCheckFails() {
    let finding = SpaceCheck.finding("output", directory: "/proc/sltt-dist/runs")
    #expect(finding.status == .failed)
    #expect(finding.text.hasPrefix("/proc/sltt-dist/runs: cannot write to /proc: "))
  }

  @Test func fullDisksAreFound() {
    func status(_ system: FileSystem?) -> Finding.Status {
      SpaceCheck.assess({ Finding(section: .space, topic: "x", text: $0) }, system).status
    }
    #expect(status(FileSystem(total: 4 << 30, available: 3 << 30, availableFiles: 9)) == .ok)
    #expect(status(FileSystem(total: 4 << 30, available: 1 << 30)) == .warning)
    #expect(status(FileSystem(total: 4 << 30, available: 3 << 30, availableFiles: 0)) == .failed)
    #expect(status(nil) == .warning)
  }

  // MARK: environment

  private func environment(
    _ variables: [String: String], threads: Int = 2, localRanks: Int = 2
  ) -> [Finding] {
    EnvironmentCheck.findings(variables, threads: threads, localRanks: localRanks)
  }

  @Test(arguments: [
    "OPENBLAS_CORETYPE": "Haswell", "GOMP_CPU_AFFINITY": "0-3", "OMP_THREAD_LIMIT": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_WAIT_POLICY": "ACTIVE", "OMP_PROC_BIND": "true",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
  ])
  func whatHurtsIsAWarning(name: String, value: String) {
    let findings = environment([name: value, "PATH": "/bin"])
    #expect(findings.count == 1 && findings[0].status == .warning)
    #expect(findings[0].topic == name && findings[0].text.lowercased().contains(value.lowercased()))
  }

  @Test func whatDoesNotHurtIsFine() {
    #expect(environment(["PATH": "/bin", "OPENBLAS_CORETYPE": ""]).map(\.status) == [.ok])
    #expect(environment(["OMP_NUM_THREADS": "9"]).map(\.status) == [.ok])
    #expect(environment(["OMP_PROC_BIND": "false"]).map(\.topic) == ["variables"])
    #expect(environment(["OMP_PLACES": "cores"], localRanks: 1).map(\.status) == [.ok])
    #expect(environment(["OMP_THREAD_LIMIT": "2"]).map(\.topic) == ["variables"])
  }

  @Test func parametersOfMPIAreShownUnlessMpirunSetThem() {
    let findings = environment([
      "OMPI_MCA_btl": "tcp,self", "OMPI_MCA_orte_launch": "1", "OMPI_MCA_ess": "^singleton",
      "MPIR_CVAR_NOLOCAL": "1", "MPIR_CVAR_CH3_INTERFACE_HOSTNAME": "vm",
    ])
    #expect(findings.map(\.topic) == ["MPIR_CVAR_NOLOCAL", "OMPI_MCA_btl"])
  }

  // MARK: processor

  private static let twoCoresOfTwoThreads = (0..<4).map { processor in
    """
    processor\t: \(processor)
    model name\t: Some CPU @ 2: fast
    physical id\t: 0
    core id\t\t: \(processor % 2)
    flags\t\t: fpu avx2 avx512_bf16
    """
  }.joined(separator: "\n\n")

  @Test func theKernelsDescriptionIsRead() {
    let cpu = CPUDescription(information: Self.twoCoresOfTwoThreads)
    #expect(cpu.model == "Some CPU @ 2: fast" && cpu.processors == 4 && cpu.cores == 2)
    #expect(cpu.hasBF16)
    let finding = CPUCheck.findings(cpu, cores: [0], threads: 1, quota: nil)[0]
    #expect(finding.text == "Some CPU @ 2: fast, 2 cores with 4 hardware threads")
    let unknown = CPUDescription(information: "processor\t: 0\nFeatures\t: fp asimd\n")
    #expect(unknown.model == "unknown model" && unknown.cores == 1 && !unknown.hasBF16)
  }

  @Test func threadsNeedCoresAndTime() {
    let cpu = CPUDescription(information: Self.twoCoresOfTwoThreads)
    func finding(cores: [Int], threads: Int, quota: Double? = nil) -> Finding {
      CPUCheck.findings(cpu, cores: cores, threads: threads, quota: quota)
        .first { $0.topic == "threads" }!
    }
    #expect(finding(cores: [2, 3], threads: 2).status == .ok)
    #expect(finding(cores: [2, 3], threads: 2).text == "2 threads on 2 cores (2-3)")
    #expect(finding(cores: [0], threads: 2).status == .warning)
    #expect(finding(cores: [0, 1], threads: 2, quota: 1.5).advice?.contains("to 1,") == true)
    #expect(finding(cores: [0, 1], threads: 2, quota: 2).status == .ok)
  }

  @Test func anOldKernelOfOpenBLASIsAWarning() {
    func advice(_ kernels: String, _ core: String) -> String? {
      CPUCheck.findings(
        kernels: kernels, openBLASCore: core, cores: [0], threads: 1, quota: nil
      ).first { $0.topic == "kernels of OpenBLAS" }?.advice
    }
    #expect(advice("AVX-512 with VBMI2", "Prescott")?.hasSuffix("=SkylakeX") == true)
    #expect(advice("AVX2", "Nehalem")?.hasSuffix("=Haswell") == true)
    #expect(advice("AVX-512", "SkylakeX") == nil)
    #expect(advice("AVX2", "Zen") == nil)
    #expect(advice("SSE2", "Prescott") == nil)
  }
}
