import ArgumentParser
import Distributed
import Tensors
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a network layer by layer: shapes, parameters, operations, memory, kernels.",
    discussion: """
      With --checkpoint: what is in a checkpoint, after comparing all of its files with their checksums; \
      ends with status 1 if one is damaged; the model's card; and which kernels compute its convolutions at \
      the firing rates of its latest epoch. Of a model's file: its card.

      With --as-yaml: the configuration with its network written layer by layer, to be changed and \
      given back as --config.
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var convolutions: BackendOptions

  @Option(
    name: .long, help: "Directory of a checkpoint, or of a run: its best one; or a model's file.",
    transform: path)
  var checkpoint: String?

  @Flag(
    name: .long, help: "Print the configuration with model.layers in place of its architecture.")
  var asYAML = false

  func validate() throws {
    guard asYAML && checkpoint != nil else { return }
    throw ValidationError("--as-yaml shows a configuration, and --checkpoint what was made by one")
  }

  func run() {
    onEveryRank { communicator in
      if let checkpoint {
        let report = try CheckpointReport(of: checkpoint, backend: convolutions.backend)
        if communicator.isRoot { print(report.text) }
        return
      }
      let resolved = try configuration.read(communicator)
      if asYAML {
        if communicator.isRoot { print(try resolved.withLayers().yaml, terminator: "") }
        return
      }
      let report = try NetworkReport(resolved, backend: convolutions.backend)
      if communicator.isRoot { print(report.text) }
    }
  }
}
