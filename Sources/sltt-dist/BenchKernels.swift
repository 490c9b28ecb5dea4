import ArgumentParser
import Benchmarking
import Training

struct BenchKernels: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Times of a network's 3x3 convolutions of spikes, by pass, density and kernel.",
    discussion: """
      Every distinct shape is measured on random spikes, with as many samples as the configured batch \
      and in the configured precision, which is that of dense kernels. The kernels take turns, round by \
      round; times are medians of the rounds. Left out is what happens once an iteration, whatever the \
      number of time steps: putting weights in a kernel's order.
      """)

  @OptionGroup var configuration: ConfigurationOptions

  @Option(
    name: .long, help: "Shares of the inputs that are spikes, such as 0.05,0.15.",
    transform: { try shares($0) })
  var densities = [0.05, 0.15, 0.25]

  @Flag(
    name: .long,
    help: "Also fit the table of costs, by which training chooses kernels, to the times.")
  var fit = false

  @OptionGroup var repetition: RoundOptions
  @OptionGroup var threading: ThreadOptions
  @OptionGroup var files: ReportOptions<Self>

  func run() {
    onOneRank("bench kernels") { communicator in
      try files.prepare()
      let report = try KernelBenchmark(
        configuration.read(communicator), densities: densities, rounds: repetition.rounds,
        threads: threading.threadCount(communicator), fits: fit
      ).run()
      try files.show(report)
    }
  }
}
