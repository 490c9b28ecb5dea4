import ArgumentParser
import Benchmarking

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

  /// The option, if it was given.
  var given: String? { firingRate.map { _ in "--firing-rate" } }

  func validate() throws {
    try require("--firing-rate", firingRate, in: OptionLimit.firingRates)
  }
}

/// Where the report of a benchmark goes besides the terminal: to files with the name of its subcommand.
struct ReportOptions<Benchmark: ParsableCommand>: ParsableArguments {
  @Option(name: .long, help: "Directory for \(name).json and \(name).svg.", transform: path)
  var output: String?

  private static var name: String { Benchmark.configuration.commandName! }

  /// Makes the directory, before the work.
  func prepare() throws {
    _ = try output.map { try BenchmarkOutput(directory: $0) }
  }

  /// Prints the report and writes its files.
  func show(_ report: some PlottedReport) throws {
    print(report.text)
    guard let output = try output.map({ try BenchmarkOutput(directory: $0) }) else { return }
    try output.write(report.json, to: "\(Self.name).json")
    try output.write(report.plot.svg, to: "\(Self.name).svg")
  }
}
