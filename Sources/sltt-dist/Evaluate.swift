import ArgumentParser
import Support
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a checkpoint's accuracy on the validation split.",
    discussion: """
      The configuration is the one that the checkpoint was trained with, unless --config names another. \
      Through mpirun, the ranks share the samples; each sample counts exactly once (of those \
      that cannot be read, with data.on_bad_sample: skip, a neighbour does). docs/files.md has the fields \
      of --json.

      With --unroll: a network whose neurons fire up to L spikes at a time step runs a second time with \
      single spikes, over L times as many steps, and the two are compared.

      With --energy: multiply-accumulates, spikes' accumulates and energy by layer, at the measured firing \
      rates, beside the same network as an ANN.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var operations: EnergyOptions

  @Flag(name: .long, help: "Show the operations of each layer and their energy.")
  var energy = false

  @Flag(
    name: .long, help: "Show a line for each class, not only for those with the lowest accuracy.")
  var classes = false

  @Option(
    name: .long,
    help: "CSV file to write: samples by class, a line each, and predicted class, a column each.",
    transform: path)
  var confusion: String?

  @Option(name: .long, help: "JSON file to write, with all that is measured.", transform: path)
  var json: String?

  @Flag(name: .long, help: "Compare the network of several levels with itself in single spikes.")
  var unroll = false

  func validate() throws {
    if let json, let confusion, resolved(json) == resolved(confusion) {
      throw ValidationError("--json and --confusion name the same file: give each its own")
    }
    try operations.requireShown(energy, by: "--energy")
    guard unroll, classes || energy || confusion != nil || json != nil else { return }
    throw ValidationError(
      "--unroll compares two networks: leave out --classes, --energy, --confusion and --json")
  }

  func run() {
    onEveryRank { communicator in
      // Before the work, whether they can be written.
      let files =
        try communicator.isRoot ? [file(confusion, .confusion), file(json, .evaluation)] : []
      let trained = try ModelFile(at: model.checkpoint, communicator)
      // A run may have measured a part of the samples to save time.
      let resolved = try configuration.read(
        communicator, base: (trained.configuration, trained.path),
        overrides: ["data.validation_samples=null"]
          + (try communicator.isRoot && configuration.namesOtherData(than: trained)
            ? ["data.hold_out=null"] : []))
      let evaluation = try Evaluation(
        of: trained, resolved, backend: compute.backend, threads: compute.threadCount(communicator),
        communicator)
      guard !unroll else {
        let report = try evaluation.runUnrolled()
        if communicator.isRoot { print(report) }
        return
      }
      let report = try evaluation.run()
      guard communicator.isRoot else { return }
      // Before printing, which ends the process where nobody reads any more.
      try files[0]?.finish(with: report.confusion.utf8)
      try files[1]?.finish(with: report.json)
      print(report.text(showsAllClasses: classes, energy: energy ? operations.energy : nil))
    }
  }

  private func file(_ path: String?, _ kind: ResultKind) throws -> ResultFile? {
    try path.map { try ResultFile(path: $0, kind) }
  }
}

extension ResultKind {
  /// The first row is that of the first column's class, and the rest of it counts.
  fileprivate static let confusion = ResultKind("confusion matrix", matches: isConfusion)

  private static func isConfusion(_ text: String) -> Bool {
    let lines = text.split(separator: "\n", maxSplits: 2)
    guard text.hasPrefix("class,") else { return false }
    guard lines.count > 1 else { return true }
    var name = lines[1]
    while let comma = name.lastIndex(of: ","),
      case let count = name[comma...].dropFirst(), !count.isEmpty, count.allSatisfy(\.isNumber)
    {
      name = name[..<comma]
    }
    return name != lines[1] && (lines[0] + ",").hasPrefix("class,\(name),")
  }
  fileprivate static let evaluation = ResultKind(
    "evaluation", beginning: "{\"accuracy\":", marks: ["\"accuracy_by_timestep\":"])
}
