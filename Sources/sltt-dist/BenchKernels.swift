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

  @Option(name: .long, parsing: .unconditional, help: "Rounds.")
  var rounds = 5

  @OptionGroup var threading: ThreadOptions

  @Option(name: .long, help: "Directory for kernels.json and kernels.svg.", transform: path)
  var output: String?

  func validate() throws {
    try require("--rounds", rounds, in: OptionLimit.rounds)
  }

  func run() {
    onEveryRank { communicator in
      guard communicator.size == 1 else {
        throw ValidationError("bench kernels runs on one rank: start it without mpirun")
      }
      let report = try KernelBenchmark(
        configuration.read(communicator), densities: densities, rounds: rounds,
        threads: threading.threadCount(communicator)
      ).run()
      print(report.text)
      if let output = output.map(BenchmarkOutput.init) {
        try output.write(report.json, to: "kernels.json")
        try output.write(report.plot.svg, to: "kernels.svg")
      }
    }
  }
}
