import ArgumentParser
import Configuration
import Distributed
import Support
import Tensors
import Training

extension Configuration.Method.Name: ExpressibleByArgument {}

struct Gradients: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Gradients without an update: compare two learning rules, or write them to a file.",
    discussion: """
      With --compare: cosine and ratio of norms, by parameter, between the gradients of the configured \
      method and of another one, such as bptt, on the same weights and batches. The batches are the first \
      ones of training, of more than one epoch where they are many, with augmentation and dropout.

      Else: one iteration, to compare with other implementations. Reads and writes safetensors files. \
      Weights: parameters under their published names, or as param.NAME, with running statistics as NAME \
      or buffer_before.NAME. Batch: frames [1, N, C, H, W] (a static image) or [T, N, C, H, W], and labels \
      [N]. Output: logits [T, N, classes], loss, firing_rate, grad.NAME and buffer_after.NAME in the \
      published shapes, float32.
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var comparison: GradientComparisonOptions
  @OptionGroup var files: GradientFileOptions

  func validate() throws {
    guard comparison.compare == nil else {
      guard let option = files.given else { return }
      throw ValidationError(
        "\(option) is not for --compare, which takes the configured data: leave it out")
    }
    if let option = comparison.given {
      throw ValidationError(
        "\(option) is for --compare: name a learning rule, or leave it out")
    }
    if let option = files.missing {
      throw ValidationError(
        "\(option) is missing: give --weights, --batch and --output, or a learning rule to"
          + " --compare")
    }
  }

  func run() {
    onOneRank("gradients") { communicator in
      guard let reference = comparison.compare else {
        let resolved = try configuration.read(communicator)
        ThreadPool.setThreads(try compute.threadCount(communicator))
        let probe = try GradientProbe(
          resolved, weights: files.weights!, batch: files.batch!, output: files.output!,
          backend: compute.backend)
        return try probe.run(trainedTimesteps: files.trainedTimesteps)
      }
      // Before the work, whether it can be written.
      let kind = ResultKind(
        "comparison of gradients", beginning: "{\n  \"all\" :", marks: ["\"norm_ratio\""])
      let file = try comparison.json.map { try ResultFile(path: $0, kind) }
      let checkpoint = try comparison.checkpoint.map { try ModelFile(at: $0, communicator) }
      let resolved = try configuration.read(
        communicator, base: checkpoint.map { ($0.configuration, $0.path) })
      let found = try GradientComparer(
        resolved, with: reference, weights: checkpoint, backend: compute.backend,
        threads: compute.threadCount(communicator), communicator
      ).compare(batches: comparison.batches ?? 1)
      // Before printing, which ends the process where nobody reads any more.
      try file?.finish(with: found.json.utf8)
      print(found.text)
    }
  }
}

/// What gradients are compared on.
struct GradientComparisonOptions: ParsableArguments {
  @Option(name: .long, help: "The learning rule whose gradients are the reference, such as bptt.")
  var compare: Configuration.Method.Name?

  @Option(
    name: .long,
    help: "Directory of a run (its best checkpoint) or of a checkpoint; left out: initial weights.",
    transform: path)
  var checkpoint: String?

  @Option(name: .long, parsing: .unconditional, help: "Batches to compare on, 1 by default.")
  var batches: Int?

  @Option(name: .long, help: "JSON file to write the comparison to.", transform: path)
  var json: String?

  func validate() throws {
    try require("--batches", batches, in: OptionLimit.iterations)
  }

  /// An option, besides `--compare`, that is there.
  fileprivate var given: String? {
    checkpoint != nil ? "--checkpoint" : batches != nil ? "--batches" : json != nil ? "--json" : nil
  }
}

/// The files of one iteration.
struct GradientFileOptions: ParsableArguments {
  @Option(name: .long, help: "Safetensors file with the weights.", transform: path)
  var weights: String?

  @Option(name: .long, help: "Safetensors file with frames and labels.", transform: path)
  var batch: String?

  @Option(
    name: .long,
    help: "Time steps that SLTT-K back-propagates, from 0, such as 1,3; drawn when left out.",
    transform: { try counts($0, of: "time steps", in: 0...9999) })
  var trainedTimesteps: [Int]?

  @Option(name: .long, help: "Safetensors file to write.", transform: path)
  var output: String?

  private var needed: [(name: String, path: String?)] {
    [("--weights", weights), ("--batch", batch), ("--output", output)]
  }

  /// An option that is there.
  fileprivate var given: String? {
    needed.first { $0.path != nil }?.name
      ?? (trainedTimesteps != nil ? "--trained-timesteps" : nil)
  }

  /// An option that must be there and is not.
  fileprivate var missing: String? { needed.first { $0.path == nil }?.name }
}
