import ArgumentParser
import Distributed
import Tensors
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a network layer by layer: shapes, parameters, operations, memory.")

  @OptionGroup var configuration: ConfigurationOptions

  func run() {
    onEveryRank { communicator in
      let resolved = try configuration.read(communicator)
      let report = try NetworkReport(resolved)
      if communicator.isRoot { print(report.text) }
    }
  }
}
