import ArgumentParser
import Benchmarking
import Configuration
import Tensors
import Training

extension ScalingReport.Mode: ExpressibleByArgument {}

struct BenchScaling: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Weak and strong scaling over numbers of ranks, and a forecast up to 4,096.",
    discussion: """
      Starts itself through mpirun on each number of ranks and trains the configured network on noise. \
      Inside an allocation mpirun takes its nodes; --mpirun gives it other options. In weak scaling \
      each rank has the configured global batch, in strong scaling all together.
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var firing: FiringRateOptions

  @Option(
    name: .long, help: "Numbers of ranks, such as 1,2,4.",
    transform: { try counts($0, of: "ranks", in: 1...100_000) })
  var ranks = [1, 2]

  @Option(name: .long, help: "weak, strong or both.", transform: { try choices($0) })
  var modes = ScalingReport.Mode.allCases

  @Option(
    name: .long, parsing: .unconditional, help: "Iterations to measure on each number of ranks.")
  var iterations = 10

  @Option(
    name: .long, parsing: .unconditional,
    help: "Rounds, in each of which all numbers of ranks take turns.")
  var rounds = 3

  @Option(name: .long, parsing: .unconditional, help: "Threads of every rank.")
  var threads = 1

  @Option(name: .long, help: "Kernels for convolutions of spikes.")
  var kernels = ConvolutionBackend.Kernels.auto

  @Option(name: .long, help: "What starts the ranks, with its options but for their number.")
  var mpirun = "mpirun"

  @Option(
    name: .long, parsing: .unconditional,
    help: "Microseconds of a message in the networks of the forecast.")
  var latency = 20.0

  @OptionGroup var files: ReportOptions<Self>
  @OptionGroup var part: MeasureOptions

  func validate() throws {
    try require("--iterations", iterations, in: OptionLimit.iterations)
    try require("--rounds", rounds, in: OptionLimit.rounds)
    try require("--threads", threads, in: OptionLimit.threads)
    try require("--latency", latency, in: 0...1_000_000)
  }

  func run() {
    onEveryRank { communicator in
      let resolved = try configuration.read(communicator)
      if part.measure {
        let measurement = try ScalingMeasurement(
          resolved, firingRate: firing.target, backend: ConvolutionBackend(kernels: kernels),
          threads: threads, iterations: iterations, communicator)
        if communicator.isRoot { try part.show(measurement) }
        return
      }
      guard communicator.size == 1 else {
        throw ValidationError("bench scaling starts its ranks itself: start it without mpirun")
      }
      let measurements = try modes.map { mode in
        let rounds = try (0..<rounds).map { _ in
          try ranks.sorted().map { try measured(resolved, mode, ranks: $0) }
        }
        return (mode, rounds)
      }
      try files.show(ScalingReport(resolved, measurements, latency: latency * 1e-6))
    }
  }

  private func measured(
    _ configuration: Configuration, _ mode: ScalingReport.Mode, ranks: Int
  ) throws -> ScalingMeasurement {
    var scaled = configuration
    scaled.training.globalBatch = mode.globalBatch(configuration.training.globalBatch, ranks: ranks)
    try scaled.validate(ranks: ranks)
    return try Relaunch.measurement(
      "scaling", scaled,
      options: [
        "--threads", "\(threads)", "--iterations", "\(iterations)", "--kernels", kernels.rawValue,
        "--firing-rate", "\(firing.target)",
      ],
      launcher: mpirun.split(separator: " ").map(String.init) + ["-n", "\(ranks)"])
  }
}
