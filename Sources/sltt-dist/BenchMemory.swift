import ArgumentParser
import Benchmarking
import Configuration
import Tensors
import Training

struct BenchMemory: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory",
    abstract: "Peak memory and tape against the number of time steps, beside what is predicted.",
    discussion: """
      Trains the configured network on noise for a few iterations, each measurement in a process of its \
      own, since the peak of a process never falls.
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var firing: FiringRateOptions

  @Option(
    name: .long, help: "Methods, such as sltt,bptt; by default all.",
    transform: { try choices($0) })
  var methods = Configuration.Method.Name.allCases

  @Option(
    name: .long, help: "Numbers of time steps, such as 1,2,6.",
    transform: { try counts($0, of: "time steps", in: OptionLimit.timesteps) })
  var timesteps = [1, 2, 4, 8]

  @OptionGroup var files: ReportOptions<Self>
  @OptionGroup var part: MeasureOptions

  func run() {
    onOneRank("bench memory") { communicator in
      let resolved = try configuration.read(communicator)
      let threads = try compute.threadCount(communicator)
      if part.measure {
        try part.show(
          MemoryMeasurement(
            resolved, firingRate: firing.target, backend: compute.backend, threads: threads))
        return
      }
      try files.prepare()
      var measurements: [MemoryMeasurement] = []
      for method in methods {
        for count in timesteps {
          measurements.append(
            try measured(resolved.training(by: method, timesteps: count), threads: threads))
        }
      }
      try files.show(MemoryReport(resolved, measurements))
    }
  }

  /// In a process of its own.
  private func measured(_ configuration: Configuration, threads: Int) throws -> MemoryMeasurement {
    try Relaunch.measurement(
      "memory", configuration,
      options: [
        "--threads", "\(threads)", "--backend", compute.convolutions.dense.library.rawValue,
        "--kernels", compute.convolutions.kernels.rawValue, "--firing-rate", "\(firing.target)",
      ])
  }
}
