import ArgumentParser
import Distributed
import HostChecks
import Training

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check this machine, or through mpirun all of a job's, for what training needs.",
    discussion: """
      Looks at MPI, cores and bindings, memory, libraries, free space and environment variables, and \
      compares matrix products, convolutions and neurons on this very CPU with plain loops. Each line \
      begins with ok, warning or FAILED; the last is the verdict. The exit status is 0 if nothing \
      FAILED, else 1. For a cluster, start it just as the training: mpirun -n 8 sltt-dist doctor.
      """)

  @OptionGroup var threading: ThreadOptions

  @Option(name: .long, help: "Directory that a run is to write to.", transform: path)
  var output = "runs"

  func run() {
    onEveryRank { communicator in
      let isHealthy = try HostChecks.Doctor(
        version: SLTTDist.configuration.version, output: output,
        threads: threading.threadCount(communicator), communicator
      ).run()
      if !isHealthy { communicator.end(status: ExitStatus.failure) }
    }
  }
}
