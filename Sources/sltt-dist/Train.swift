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

  @Option(
    name: .long,
    help: "Directory of a run that was interrupted: go on from its latest checkpoint.")
  var resume: String?

  func validate() throws {
    guard resume != nil else { return }
    if output != nil || configuration.config != nil {
      throw ValidationError(
        "--resume goes on in the run's own directory with its own configuration: leave out"
          + " --output and --config; --set changes single keys, such as training.epochs")
    }
  }

  func run() {
    onEveryRank { communicator in
      let resumed = try resume.map(OutputDirectory.init(resuming:))
      let resolved = try configuration.read(
        communicator,
        base: resumed.map { try String(contentsOfFile: $0.configuration, encoding: .utf8) })
      try resolved.validate(ranks: communicator.size)
      let directory =
        try communicator.isRoot
        ? resumed ?? OutputDirectory(output ?? OutputDirectory.defaultPath()) : nil
      let run = try TrainingRun(
        resolved, backend: compute.backend, threads: compute.threadCount(communicator),
        output: directory,
        resuming: resumed.map { try ResumePoint(contentsOf: $0.latestOptimizer) }, communicator)
      _ = try run.run()
    }
  }
}
