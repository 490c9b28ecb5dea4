import ArgumentParser
import Benchmarking
import Configuration
import Distributed
import Support
import Tensors
import Training

struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Images a second of training, and where the time goes, by phase and by layer.",
    discussion: """
      Trains a network of the configured shape on noise, with thresholds that let as many neurons fire as \
      --firing-rate says, or with --checkpoint that network on the configured data, so that as many fire \
      as in training. All combinations of methods, precisions, kernels and numbers of threads take turns, round by \
      round; images/s are medians of the rounds. Weights stay as they are. On several ranks, times are rank 0's.
      """)

  @OptionGroup var configuration: ConfigurationOptions

  @OptionGroup var data: SourceOptions

  @Option(
    name: .long, help: "Methods, such as sltt,sltt-k,bptt; by default the configured one.",
    transform: { try choices($0) })
  var methods: [Configuration.Method.Name]?

  @Option(
    name: .long, help: "Precisions, such as float32,mixed; by default the configured one.",
    transform: { try choices($0) })
  var precisions: [Precision]?

  @Option(
    name: .long, help: "Kernels for convolutions of spikes, such as auto,dense,events.",
    transform: { try choices($0) })
  var kernels: [ConvolutionBackend.Kernels] = [.auto]

  @OptionGroup var dense: LibraryOptions
  @OptionGroup var repetition: RoundOptions

  @Option(
    name: .long, parsing: .unconditional, help: "Seconds of each combination in a round.")
  var seconds = 1.0

  @Option(
    name: .long, parsing: .unconditional,
    help: """
      Threads of a rank, such as 1,2,4: with several numbers, also the time that does not get shorter with \
      them, by phase. By default the cores it may use, divided among the node's ranks.
      """, transform: { try counts($0, of: "threads", in: OptionLimit.threads) })
  var threads: [Int]?

  @Option(name: .long, help: "Directory for step.json.", transform: path)
  var output: String?

  func validate() throws {
    try require("--seconds", seconds, in: OptionLimit.seconds)
  }

  func run() {
    onEveryRank { communicator in
      // Before the work, whether it can be made.
      let directory =
        try communicator.isRoot
        ? output.map { try BenchmarkOutput(directory: $0, replacing: ["step.json": .figures]) }
        : nil
      let file = try data.file(communicator)
      let resolved = try configuration.read(
        communicator, base: file.map { ($0.configuration, $0.path) })
      // A collective: all ranks take part, whatever they were given.
      let budget = try ProcessorBudget.threads(communicator)
      let benchmark = try StepBenchmark(
        resolved, variants(resolved, threads ?? [budget]),
        source: data.source(file),
        library: dense.library, seconds: seconds, communicator)
      for _ in 0..<repetition.rounds { try benchmark.runRound() }
      guard communicator.isRoot else { return }
      let report = benchmark.report()
      defer { print(report.text) }
      try directory?.write(report.json, to: "step.json")
    }
  }

  private func variants(
    _ configuration: Configuration, _ threads: [Int]
  ) -> [StepBenchmark.Variant] {
    (methods ?? [configuration.method.name]).flatMap { method in
      (precisions ?? [configuration.training.precision]).flatMap { precision in
        kernels.flatMap { kernels in
          threads.map { StepBenchmark.Variant(method, precision, kernels, threads: $0) }
        }
      }
    }
  }
}
