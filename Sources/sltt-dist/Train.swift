import ArgumentParser
import Configuration
import Distributed
import Foundation
import Training

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network, on one rank or, through mpirun, on many.",
    discussion: """
      Writes config.yaml (resolved), metrics.jsonl, metrics.csv, TensorBoard's events and checkpoints to the output \
      directory: checkpoints/latest and checkpoints/best are links to directories with \
      model.safetensors, optimizer.safetensors and state.json.

      SIGUSR1, SIGTERM, SIGHUP or Ctrl-C: finishes the iteration, writes a checkpoint and ends with status \
      75; before the first iteration it just ends with that, and a validation is done again when the run \
      goes on. A second one ends at once. Exit status: 0 complete; 1 an error that would come again; 64 wrong \
      options; 71 the ranks lost each other; 75 stopped by a signal; 124 ended by the watchdog. After \
      71, 75, 124 and killed ranks, --resume goes on.

      --set KEY=VALUE: where a key takes text, all that follows the first = is the value, as it is, with \
      any quotes; other values are YAML, in which null stands for a key that is left out. An empty value \
      is an error. In a file, all is YAML: text that begins with # & ! * or holds " #" or ": " needs \
      quotes, and null leaves out every key without default.

      Where data.path names data, image size, channels, augmentation, normalization, network and the time \
      steps of recordings suit these if they are left out; what was chosen is printed, and kept in \
      config.yaml.

      Keys of the configuration, with their defaults:

      \(Configuration.help)
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var compute: ComputeOptions

  @Option(
    name: .long, help: "Directory for the results; by default runs/DATE-TIME.", transform: path)
  var output: String?

  @Option(
    name: .long,
    help: """
      Go on from a checkpoint: DIR of a run or of one of its checkpoints; latest: of the run in --output \
      or else the latest in runs/; auto: of the run in --output, or a new one if that never had a checkpoint.
      """, transform: path)
  var resume: String?

  @Option(
    name: .long,
    help: """
      Begin with these weights: a run, a checkpoint, or a file of safetensors or torch.save with the \
      published names. \
      When a run goes on, its own count.
      """, transform: path)
  var initFrom: String?

  @Flag(name: .long, help: "With --init-from: a new classifier, for other classes.")
  var reinitializeHead = false

  @Option(
    name: .long, parsing: .unconditional,
    help: "Seconds without progress on a rank after which the run ends with status 124; 0: never.")
  var hangTimeout = 600.0

  func validate() throws {
    let limits = 1.0...10_000_000
    guard hangTimeout == 0 || limits.contains(hangTimeout) else {
      throw ValidationError(
        "--hang-timeout \(hangTimeout): must be 0, or from \(limits.lowerBound) to"
          + " \(limits.upperBound) seconds")
    }
    if reinitializeHead && initFrom == nil {
      throw ValidationError("--reinitialize-head needs --init-from, the weights to begin with")
    }
  }

  func run() {
    StopSignal.install()
    // A run whose output nobody reads any more goes on: what it makes is in files.
    signal(SIGPIPE, SIG_IGN)
    onEveryRank(isForReading: false) { communicator in
      let watchdog =
        hangTimeout == 0
        ? nil : try Watchdog(communicator.activity, timeout: hangTimeout, communicator)
      if hangTimeout > 0, watchdog == nil, communicator.isRoot {
        warn("no watchdog, which needs an MPI with MPI_THREAD_MULTIPLE")
      }
      communicator.activity.enter(.readingCheckpoint)
      let start =
        try communicator.isRoot
        ? RunStart(
          resume: resume, output: output, progress: communicator.activity.touch,
          report: { warn($0) }) : nil
      let resolved = try configuration.read(
        communicator, base: start?.checkpoint.map { ($0.state.configuration, $0.path) })
      let setup = try TrainingSetup(
        resolved, backend: compute.backend, threads: compute.threadCount(communicator),
        output: start?.output, resuming: start?.checkpoint,
        initial: initFrom.map {
          InitialWeights(path: $0, reinitializesHead: reinitializeHead)
        }, communicator)
      let run = try TrainingRun(setup)
      StopSignal.beginDeferring()
      let ending = try run.run()
      watchdog?.stop()
      if ending == .stopped { communicator.end(status: ExitStatus.interrupted) }
    }
  }
}
