import ArgumentParser
import Benchmarking
import Foundation
import Support
import Training

struct BenchData: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Images a second that the configured data give: read, decoded, augmented, delivered.",
    discussion: """
      Goes through the training split in the order and with the augmentation of training, but without \
      a network. Each figure includes the stages to its left; delivered is what a training loop gets \
      that does nothing else. All are measured with the given number of threads.
      """)

  @OptionGroup var configuration: ConfigurationOptions

  @Option(
    name: .long,
    help: "Numbers of threads to measure with, such as 1,2; by default 1, 2, 4, … up to the cores.",
    transform: { try counts($0, of: "threads", in: OptionLimit.threads) })
  var workers: [Int]?

  @Option(name: .long, parsing: .unconditional, help: "Seconds for each figure.")
  var seconds = 3.0

  @Option(name: .long, help: "JSON file to write the figures to.", transform: path)
  var output: String?

  func validate() throws {
    try require("--seconds", seconds, in: OptionLimit.seconds)
  }

  func run() {
    onOneRank("bench data") { communicator in
      // Before the work, whether it can be written.
      let kind = ResultKind(
        "file of figures of bench data", beginning: "{\"samples\":",
        marks: ["\"images_per_second\""])
      let file = try output.map { try ResultFile(path: $0, kind) }
      let benchmark = try DataBenchmark(try configuration.read(communicator))
      print(benchmark.title)
      print(benchmark.heading)
      var rows: [DataBenchmark.Row] = []
      for count in workers ?? Self.powersOfTwo(upTo: ProcessInfo.processInfo.activeProcessorCount) {
        rows.append(try benchmark.measure(workers: count, seconds: seconds))
        print(benchmark.line(rows.last!))
      }
      try file?.finish(with: benchmark.json(rows).utf8)
    }
  }

  private static func powersOfTwo(upTo limit: Int) -> [Int] {
    (0..<16).map { 1 << $0 }.filter { $0 <= limit }
  }
}
