import ArgumentParser
import Distributed
import Tensors
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a network layer by layer: shapes, parameters, operations, memory.",
    discussion: """
      With --checkpoint: what is in a checkpoint, after comparing all of its files with their checksums; \
      ends with status 1 if one is damaged.
      """)

  @OptionGroup var configuration: ConfigurationOptions

  @Option(name: .long, help: "Directory of a checkpoint, or of a run: its best one.")
  var checkpoint: String?

  func run() {
    onEveryRank { communicator in
      if let checkpoint {
        let report = try CheckpointReport(of: checkpoint)
        if communicator.isRoot { print(report.text) }
        return
      }
      let resolved = try configuration.read(communicator)
      let report = try NetworkReport(resolved)
      if communicator.isRoot { print(report.text) }
    }
  }
}
