import ArgumentParser
import Training

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network, on one rank or, through mpirun, on many.",
    discussion: """
      Writes config.yaml (resolved), metrics.jsonl, metrics.csv and checkpoints/*.safetensors to the \
      output directory. Keys of the configuration, with their defaults:

      \(Configuration.help)
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var compute: ComputeOptions

  @Option(name: .long, help: "Directory for the results; by default runs/DATE-TIME.")
  var output: String?

  func run() {
    onEveryRank { communicator in
      let resolved = try configuration.read(communicator)
      try resolved.validate(ranks: communicator.size)
      let directory =
        try communicator.isRoot
        ? OutputDirectory(output ?? OutputDirectory.defaultPath()) : nil
      let run = try TrainingRun(
        resolved, backend: compute.backend, threads: compute.threadCount(communicator),
        output: directory, communicator)
      _ = try run.run()
    }
  }
}
