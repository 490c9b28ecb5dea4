import ArgumentParser
import Distributed
import Tensors
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a network layer by layer: shapes, parameters, operations, memory, kernels.",
    discussion: """
      With --checkpoint: what is in a checkpoint, after comparing all of its files with their checksums; \
      ends with status 1 if one is damaged; the model's card; and which kernels compute its convolutions, and \
      its operations and their energy, at the firing rates of its latest epoch. Of a model's file: its card.

      With --as-yaml: the configuration with its network written layer by layer, to be changed and \
      given back as --config.
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var convolutions: BackendOptions
  @OptionGroup var energy: EnergyOptions

  @Option(
    name: .long, help: "Directory of a checkpoint, or of a run: its best one; or a model's file.",
    transform: path)
  var checkpoint: String?

  @Flag(
    name: .long, help: "Print the configuration with model.layers in place of its architecture.")
  var asYAML = false

  @Option(
    name: .long, parsing: .unconditional,
    help: "Show operations and energy as well, with so many spikes for each input and time step.")
  var firingRate: Double?

  func validate() throws {
    try require("--firing-rate", firingRate, in: 0...Double(MembraneDynamics.mostLevels))
    try energy.requireShown(
      checkpoint != nil || firingRate != nil, by: "--firing-rate or --checkpoint")
    guard checkpoint != nil else { return }
    if asYAML {
      throw ValidationError(
        "--as-yaml shows a configuration, and --checkpoint what was made by one")
    }
    if let option = configuration.given {
      throw ValidationError(
        "\(option) is for a network that is configured, and --checkpoint has its own: leave it out")
    }
    if firingRate != nil {
      throw ValidationError("--firing-rate is for a network without measured rates: leave it out")
    }
  }

  func run() {
    onEveryRank { communicator in
      if let checkpoint {
        let report = try CheckpointReport(
          of: checkpoint, backend: convolutions.backend, energy: energy.energy)
        if let option = energy.given, let problem = report.missingOperations {
          throw ValidationError("\(option) is of no use here: \(problem); leave it out")
        }
        if communicator.isRoot { print(report.text) }
        return
      }
      // What is printed as YAML has to read back.
      let resolved = try configuration.read(communicator) { print(asYAML ? "# \($0)" : $0) }
      if asYAML {
        if communicator.isRoot { print(try resolved.withLayers().yaml, terminator: "") }
        return
      }
      try require("--firing-rate", firingRate, in: 0...Double(resolved.mostSpikes))
      let report = try NetworkReport(
        resolved, backend: convolutions.backend, firingRate: firingRate, energy: energy.energy)
      if communicator.isRoot { print(report.text) }
    }
  }
}
