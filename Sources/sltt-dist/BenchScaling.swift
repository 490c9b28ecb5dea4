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
      Starts itself through mpirun on each number of ranks and trains the configured network on noise, or, \
      with --checkpoint, from its weights on the configured data. \
      Inside an allocation mpirun takes its nodes; --mpirun gives it other options. In weak scaling \
      each rank has the configured global batch, in strong scaling all together. --trace writes what \
      ranks do in an iteration, for the simulator in Benchmarks/scaling; --check compares with what that \
      predicted.
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var data: SourceOptions

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

  @Option(
    name: .long, parsing: .unconditional,
    help: """
      Seconds for which ranks sleep in an iteration in place of computing, so that many of them share few \
      cores and only the exchange is measured.
      """)
  var syntheticCompute: Double?

  @Option(
    name: .long,
    help: """
      File for what the ranks of the largest number wait for data, compute and exchange in each iteration \
      of the first of --modes, in SimGrid's time-independent format.
      """, transform: path)
  var trace: String?

  @Option(
    name: .long, help: "Predictions to compare with, a file of Benchmarks/scaling/simulate.py.",
    transform: path)
  var check: String?

  @OptionGroup var files: ReportOptions<Self>
  @OptionGroup var part: MeasureOptions

  func validate() throws {
    try require("--iterations", iterations, in: OptionLimit.iterations)
    try require("--rounds", rounds, in: OptionLimit.rounds)
    try require("--threads", threads, in: OptionLimit.threads)
    try require("--latency", latency, in: 0...1_000_000)
    if let syntheticCompute {
      try require("--synthetic-compute", syntheticCompute, in: OptionLimit.seconds)
    }
    if trace != nil && !part.measure && ranks.max()! == 1 {
      throw ValidationError("--trace: one rank exchanges nothing; give --ranks 2 or more")
    }
    guard syntheticCompute == nil || data.checkpoint == nil else {
      throw ValidationError(
        "--synthetic-compute: ranks that sleep need no --checkpoint; leave one of both out")
    }
  }

  func run() {
    onEveryRank { communicator in
      let file = try data.file(communicator)
      let resolved = try configuration.read(
        communicator, base: file.map { ($0.configuration, $0.path) })
      if part.measure {
        let work: ScalingWork =
          syntheticCompute.map { .sleeping(seconds: $0) }
          ?? .training(data.source(file))
        let measurement = try ScalingMeasurement(
          resolved, work, backend: ConvolutionBackend(kernels: kernels), threads: threads,
          iterations: iterations, trace: trace, communicator)
        if communicator.isRoot { try part.show(measurement) }
        return
      }
      guard communicator.size == 1 else {
        throw ValidationError("bench scaling starts its ranks itself: start it without mpirun")
      }
      // Before the work, whether it can be read, and written.
      let predictions = try check.map { try ScalingPredictions(file: $0) }
      try predictions?.requireAny(of: ranks, modes)
      try files.prepare()
      if let trace { try ScalingMeasurement.traceKind.requireReplaceable(trace) }
      let measurements = try modes.map { mode in
        let rounds = try (0..<rounds).map { _ in
          try ranks.sorted().map { try measured(resolved, mode, ranks: $0) }
        }
        return (mode, rounds)
      }
      let report = ScalingReport(measurements, latency: latency * 1e-6)
      try files.show(report)
      if let predictions { print("\n" + (try ScalingCheck(predictions, report)).text) }
    }
  }

  private func measured(
    _ configuration: Configuration, _ mode: ScalingReport.Mode, ranks: Int
  ) throws -> ScalingMeasurement {
    var scaled = configuration
    scaled.training.globalBatch = mode.globalBatch(configuration.training.globalBatch, ranks: ranks)
    try scaled.validate(ranks: ranks)
    var options = [
      "--threads", "\(threads)", "--iterations", "\(iterations)", "--kernels", kernels.rawValue,
    ]
    options += data.options
    if let syntheticCompute { options += ["--synthetic-compute", "\(syntheticCompute)"] }
    if let trace, ranks == self.ranks.max(), mode == modes[0] { options += ["--trace", trace] }
    return try Relaunch.measurement(
      "scaling", scaled, options: options,
      launcher: mpirun.split(separator: " ").map(String.init) + ["-n", "\(ranks)"])
  }
}
