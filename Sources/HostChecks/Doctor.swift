import Datasets
import Distributed
import Foundation
import Support
import Tensors

/// Looks at all that training needs on the hosts of a job: MPI, processors, memory, libraries, room on
/// disks, environment, and whether the math libraries compute rightly on these very CPUs.
public struct Doctor {
  private let communicator: any Communicator
  private let version: String
  private let output: String
  private let threads: Int

  /// - Parameters:
  ///   - version: of the program.
  ///   - output: the directory that runs are to write to.
  ///   - threads: of this rank.
  public init(
    version: String, output: String, threads: Int, _ communicator: any Communicator
  ) {
    (self.version, self.output, self.threads) = (version, output, threads)
    self.communicator = communicator
  }

  /// Examines every rank and prints what it found, on rank 0. A collective.
  ///
  /// - Returns: whether nothing failed, on every rank.
  public func run() throws -> Bool {
    ThreadPool.setThreads(threads)
    let nodes = try communicator.nodes()
    let allReduce = try AllReduceCheck.finding(communicator) {
      try GradientReducer(communicator: communicator).reduce($0)
    }
    var own = RankExamination(
      rank: communicator.rank, hostName: communicator.hostName, node: nodes[communicator.rank],
      cores: ProcessorBudget.cores(),
      // Other launchers than mpirun may themselves be outside of what their ranks are confined to.
      launcherCores: ProcessorBudget.cores(ofProcess: Launch.current.isByMpirun ? getppid() : nil),
      threads: threads,
      availableMemory: NodeMemory.current?.available ?? 0)
    own.findings = findings(own)
    let all = try communicator.allGather(own.json).map(RankExamination.init(json:))
    let report = DoctorReport(
      all,
      shared: program + [
        mpi(all, nodes: Set(nodes).count), allReduce, PlacementCheck.finding(all),
      ])
    if communicator.isRoot { print(report.text, report.verdict, separator: "\n\n") }
    return !report.hasFailed
  }

  private var program: [Finding] {
    let identity = ProgramIdentity.current
    let text = "\(version), \(identity.path), hash \(String(identity.hash, radix: 16))"
    #if DEBUG
      return [
        Finding(section: .program, topic: "sltt-dist", text: text + ", a debug build")
          .warning("It is many times slower: build with swift build -c release")
      ]
    #else
      return [Finding(section: .program, topic: "sltt-dist", text: text + ", a release build")]
    #endif
  }

  private func mpi(_ ranks: [RankExamination], nodes: Int) -> Finding {
    Finding(
      section: .mpi, topic: "ranks",
      text: "\(Format.counted(ranks.count, "rank")) on \(Format.counted(nodes, "host"))")
  }

  /// What this rank finds on its own.
  private func findings(_ own: RankExamination) -> [Finding] {
    let environment = ProcessInfo.processInfo.environment
    let ranks = communicator.localSize
    func library(_ name: String, _ version: String, _ section: Finding.Section = .libraries)
      -> Finding
    {
      Finding(
        section: section, topic: name, text: version,
        adviceIfDiffering: "Install the same version on all hosts")
    }
    return [library("library", MPILibrary.version, .mpi)]
      + CPUCheck.findings(
        cores: own.cores, threads: threads, quota: ProcessorBudget.quota)
      + MemoryCheck.findings(
        .current, shared: FileSystem(path: "/dev/shm"), ranks: ranks)
      + [
        library("oneDNN", MathLibraries.oneDNNVersion),
        library("OpenBLAS", MathLibraries.openBLASConfiguration),
        library("libjpeg-turbo", ImageLibraries.jpegVersion),
        library("libpng", ImageLibraries.pngVersion),
        library("libarchive", ImageLibraries.archiveVersion),
        SpaceCheck.finding("temporary files", directory: environment["TMPDIR"] ?? "/tmp"),
      ]
      // Only rank 0 writes results.
      + (communicator.isRoot ? [SpaceCheck.finding("output", directory: output)] : [])
      + EnvironmentCheck.findings(environment, threads: threads, localRanks: ranks)
      + MathReport.findings()
  }
}
