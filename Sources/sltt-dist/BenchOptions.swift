import ArgumentParser
import Benchmarking
import Distributed
import Support
import Training

/// How often a benchmark goes through all that it compares.
struct RoundOptions: ParsableArguments {
  @Option(name: .long, parsing: .unconditional, help: "Rounds; the median counts.")
  var rounds = 5

  func validate() throws {
    try require("--rounds", rounds, in: OptionLimit.rounds)
  }
}

/// How much a network fires that is trained on noise.
struct FiringRateOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: """
      On noise, the share of the neurons that fire at each time step, from 0.001 to 0.4: thresholds of all \
      layers are set so. \
      By default \(FiringRateOptions.usual).
      """)
  var firingRate: Double?

  private static let usual = 0.15

  var target: Double { firingRate ?? Self.usual }

  func validate() throws {
    try require("--firing-rate", firingRate, in: OptionLimit.firingRates)
  }
}

/// What a benchmark trains on: noise, or configured data.
struct SourceOptions: ParsableArguments {
  @Option(
    name: .long, help: "Weights to measure with, on the configured data: a run or checkpoint.",
    transform: path)
  var checkpoint: String?

  @OptionGroup var firing: FiringRateOptions

  func validate() throws {
    guard checkpoint == nil || firing.firingRate == nil else {
      throw ValidationError(
        "--firing-rate: with --checkpoint the weights and data decide it; leave one of both out")
    }
  }

  /// The weights that are named. A collective.
  func file(_ communicator: any Communicator) throws -> ModelFile? {
    try checkpoint.map { try ModelFile(at: $0, communicator) }
  }

  func source(_ file: ModelFile?) -> BenchmarkSource {
    file.map { .checkpoint($0) } ?? .synthetic(firingRate: firing.target)
  }

  /// As options of a rank.
  var options: [String] {
    checkpoint.map { ["--checkpoint", $0] } ?? ["--firing-rate", "\(firing.target)"]
  }
}

/// Where the report of a benchmark goes besides the terminal: to files with the name of its subcommand.
struct ReportOptions<Benchmark: ParsableCommand>: ParsableArguments {
  @Option(name: .long, help: "Directory for \(name).json and \(name).svg.", transform: path)
  var output: String?

  private static var name: String { Benchmark.configuration.commandName! }

  /// Makes the directory, before the work.
  func prepare() throws {
    _ = try output.map(files)
  }

  private func files(_ directory: String) throws -> BenchmarkOutput {
    try BenchmarkOutput(
      directory: directory,
      replacing: ["\(Self.name).json": .figures, "\(Self.name).svg": .plot])
  }

  /// Prints the report and writes its files.
  func show(_ report: some PlottedReport) throws {
    // After the files, since it ends the process where nobody reads, but also where they cannot be written.
    defer { print(report.text) }
    guard let files = try output.map(files) else { return }
    try files.write(report.json, to: "\(Self.name).json")
    try files.write(report.plot.svg, to: "\(Self.name).svg")
  }
}
