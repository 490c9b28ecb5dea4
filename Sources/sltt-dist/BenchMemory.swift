import ArgumentParser
import Benchmarking
import Configuration
import Foundation
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

  @Option(
    name: .long, help: "Methods, such as sltt,bptt; by default all.",
    transform: { try choices($0) })
  var methods = Configuration.Method.Name.allCases

  @Option(
    name: .long, help: "Numbers of time steps, such as 1,2,6.",
    transform: { try counts($0, of: "time steps", in: OptionLimit.timesteps) })
  var timesteps = [1, 2, 4, 8]

  @Option(name: .long, help: "Directory for memory.json and memory.svg.", transform: path)
  var output: String?

  @Flag(name: .long, help: .hidden)
  var measure = false

  func run() {
    onEveryRank { communicator in
      guard communicator.size == 1 else {
        throw ValidationError("bench memory runs on one rank: start it without mpirun")
      }
      let resolved = try configuration.read(communicator)
      let threads = try compute.threadCount(communicator)
      if measure {
        let measurement = try MemoryMeasurement(
          resolved, backend: compute.backend, threads: threads)
        print(String(decoding: try JSONEncoder().encode(measurement), as: UTF8.self))
        return
      }
      var measurements: [MemoryMeasurement] = []
      for method in methods {
        for count in timesteps {
          measurements.append(
            try measured(resolved.training(by: method, timesteps: count), threads: threads))
        }
      }
      let report = try MemoryReport(resolved, measurements)
      print(report.text)
      if let output = output.map(BenchmarkOutput.init) {
        try output.write(report.json, to: "memory.json")
        try output.write(report.plot.svg, to: "memory.svg")
      }
    }
  }

  /// In a process of its own.
  private func measured(_ configuration: Configuration, threads: Int) throws -> MemoryMeasurement {
    let file = try ConfigurationFile(configuration)
    let text = try Relaunch.run([
      "bench", "memory", "--measure", "--config", file.path, "--threads", "\(threads)",
      "--backend", compute.convolutions.library.rawValue, "--kernels",
      compute.convolutions.kernels.rawValue,
    ])
    return try JSONDecoder().decode(MemoryMeasurement.self, from: Data(text.utf8))
  }
}
