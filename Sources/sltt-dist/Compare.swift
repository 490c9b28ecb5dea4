import ArgumentParser
import Benchmarking
import Configuration
import Distributed
import Foundation
import Support
import Tensors
import Training

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train with several learning rules, or anything else that varies, and compare.",
    discussion: """
      Each combination of a method, of what varies and of a seed is a run of its own, in a process of its \
      own: DIR/COMBINATION/seed-N in --output. Runs of one seed begin with the same weights and see the \
      same samples in the same order. What is complete is not done again, what was broken off goes on, \
      and further calls with the same --output add to the comparison.

      Writes comparison.txt, comparison.json, accuracy-time.svg and accuracy-memory.svg. A signal stops \
      the run that is going on with a checkpoint, and ends with status 75.
      """)

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var compute: ComputeOptions

  @Option(
    name: .long, help: "Methods, such as sltt,sltt-k,bptt,ottt,rate.",
    transform: { try choices($0) })
  var methods: [Configuration.Method.Name]

  @Option(
    name: .long, help: "Seeds, such as 1,2,3.",
    transform: { try counts($0, of: "seeds", in: 0...Int(Int32.max)) })
  var seeds = [1]

  @Option(
    name: .long, help: "Levels of the neurons, such as 1,4.",
    transform: { try counts($0, of: "levels", in: 1...MembraneDynamics.mostLevels) })
  var levels: [Int] = []

  @Option(
    name: .long,
    help:
      "KEY=VALUE,VALUE: another key that varies; repeat it for more. All combinations are trained.",
    transform: { try Variation($0) })
  var vary: [Variation] = []

  @Option(
    name: .long, help: "What starts each run, such as 'mpirun -n 8'; left out: one rank.",
    transform: { $0.split(separator: " ").map(String.init) })
  var launcher: [String] = []

  @Option(name: .long, help: "Directory for the runs and the comparison.", transform: path)
  var output: String

  func validate() throws {
    let keys = vary.map(\.key) + (levels.isEmpty ? [] : ["neuron.levels"])
    for (index, key) in keys.enumerated() where keys[..<index].contains(key) {
      throw ValidationError("\(key) varies twice: give all its values at once")
    }
    for (key, option) in [("method.name", "--methods"), ("training.seed", "--seeds")]
    where keys.contains(key) {
      throw ValidationError("--vary \(key): give its values as \(option)")
    }
    if configuration.set.contains(where: { $0.hasPrefix("training.seed=") }) {
      throw ValidationError("--set training.seed: give it as --seeds")
    }
    if !methods.contains(.slttK), let key = keys.first(where: { Self.isForSLTTK($0 + "=") }) {
      throw ValidationError(
        "--vary \(key) is for sltt-k, which is not among --methods: add it, or leave this out")
    }
  }

  func run() {
    StopSignal.install()
    onOneRank("compare") { communicator in
      // All mistakes before the first run.
      if FileManager.default.fileExists(atPath: OutputDirectory(output).configuration) {
        throw ValidationError(
          "--output \(output) holds a run: name another directory for the comparison")
      }
      let combinations = try combinations(communicator)
      for combination in combinations { try requireSameRuns(combination) }
      let files = try BenchmarkOutput(
        directory: output,
        replacing: [
          "comparison.txt": Self.tableKind, "comparison.json": .figures,
          "accuracy-time.svg": .plot, "accuracy-memory.svg": .plot,
        ])
      StopSignal.beginDeferring()
      let count = combinations.count * seeds.count
      for (index, combination) in combinations.enumerated() {
        for (number, seed) in seeds.enumerated() {
          let position = "[\(index * seeds.count + number + 1)/\(count)]"
          try train(combination, seed: seed, position, communicator)
        }
      }
      let comparison = try Comparison(directory: output)
      try files.write(comparison.text + "\n", to: "comparison.txt")
      try files.write(comparison.json, to: "comparison.json")
      try files.write(comparison.timePlot.svg, to: "accuracy-time.svg")
      try files.write(comparison.memoryPlot.svg, to: "accuracy-memory.svg")
      print("\n" + comparison.text)
    }
  }

  private static let tableKind = ResultKind(
    "table of a comparison", beginning: " ", marks: [" SOPs/image\n"])

  /// A method with values of what varies.
  private struct Combination {
    var name: String
    var configuration: Configuration
  }

  private func combinations(_ communicator: any Communicator) throws -> [Combination] {
    // What the data decide may depend on what varies.
    var shown: [String] = []
    let levels = levels.isEmpty ? [] : [Variation(key: "neuron.levels", levels.map(String.init))]
    // Of each, as `--set` takes it.
    let settings = (levels + vary).reduce([[String]]([[]])) { combinations, variation in
      combinations.flatMap { settings in
        variation.values.map { settings + ["\(variation.key)=\($0)"] }
      }
    }
    var names: Set<String> = []
    return try methods.flatMap { method in
      try settings.compactMap { settings in
        // What is for sltt-k alone must not keep the others from being compared with it.
        let isSLTTK = method == .slttK
        let settings = settings.filter { isSLTTK || !Self.isForSLTTK($0) }
        let name = ([method.rawValue] + settings).joined(separator: ",")
        guard names.insert(name).inserted else { return nil }
        var changed = Configuration()
        try configuration.apply(to: &changed)
        changed.method.name = method
        if isSLTTK && changed.method.k == nil && !settings.contains(where: Self.isForSLTTK) {
          print("method.k: 1, since it is not set")
        }
        changed.method.k = isSLTTK ? changed.method.k ?? 1 : nil
        changed.method.skipsTrailing = isSLTTK && changed.method.skipsTrailing
        try changed.apply(overrides: settings)
        let chosen = try changed.chooseFromData(communicator.activity)
        try requireNetwork(changed, name)
        if chosen != shown { print(chosen.joined(separator: "\n")) }
        shown = chosen
        return Combination(name: name, configuration: changed)
      }
    }
  }

  /// Refuses, before the first run, what the last one would be refused for.
  private func requireNetwork(_ configuration: Configuration, _ name: String) throws {
    do {
      try configuration.validateWithNetwork()
    } catch {
      throw ValidationError("\(name): \(error)")
    }
  }

  private static func isForSLTTK(_ setting: String) -> Bool {
    setting.hasPrefix("method.k=") || setting.hasPrefix("method.skip_trailing=")
  }

  /// Throws where other seeds of a combination were trained with another configuration: the mean of both would
  /// mean nothing. How long they were, the table tells.
  private func requireSameRuns(_ combination: Combination) throws {
    for seed in Comparison.seeds("\(output)/\(combination.name)") where !seeds.contains(seed) {
      let directory = "\(output)/\(combination.name)/seed-\(seed)"
      guard let run = try Comparison.history(directory)?.configuration else { continue }
      try requireEqual(
        directory, run, combination.configuration,
        except: ["training.seed", "training.max_iterations"])
    }
  }

  private func train(
    _ combination: Combination, seed: Int, _ position: String, _ communicator: any Communicator
  ) throws {
    var changed = combination.configuration
    changed.training.seed = UInt64(seed)
    let directory = "\(output)/\(combination.name)/seed-\(seed)"
    if try isComplete(directory, changed) {
      return print("\(position) \(combination.name), seed \(seed): complete")
    }
    print("\(position) \(combination.name), seed \(seed)")
    let status = try run(changed, in: directory)
    // A run that had just been started, and did not know the signal yet, is ended by it.
    if status == ExitStatus.interrupted || status == 128 + SIGUSR1 && StopSignal.name != nil {
      print("the comparison is not complete: the same command goes on with it")
      communicator.end(status: ExitStatus.interrupted)
    }
    guard status == 0 else {
      throw RelaunchError(
        description: "\(combination.name), seed \(seed), ended with status \(status)")
    }
    guard try Comparison.history(directory)?.isComplete == true else {
      throw RelaunchError(
        description:
          "\(directory) is complete, but its metrics.jsonl does not tell what the last epoch"
          + " came to: remove the directory, to train again")
    }
  }
}

extension Compare {
  /// Trains, or goes on.
  ///
  /// - Returns: the exit status; the file with the configuration is gone by then.
  private func run(_ configuration: Configuration, in directory: String) throws -> Int32 {
    let file = try ConfigurationFile(configuration, in: output)
    defer { withExtendedLifetime(file) {} }
    let threads = compute.threading.threads.map { ["--threads", "\($0)"] } ?? []
    let arguments =
      ["train", "--config", file.path, "--resume", "auto", "--output", directory]
      + [
        "--backend", compute.convolutions.dense.library.rawValue, "--kernels",
        compute.convolutions.kernels.rawValue,
      ] + threads
    return try Relaunch.runVisibly(arguments, launcher: launcher)
  }

  /// Whether the directory holds this very run, complete.
  ///
  /// - Throws: where it holds another one, which must neither count nor go on.
  private func isComplete(_ directory: String, _ configuration: Configuration) throws -> Bool {
    guard let history = try Comparison.history(directory) else { return false }
    let run = history.configuration
    // A run may be made longer, not shorter.
    let (had, wanted) = (run.training.maxIterations, configuration.training.maxIterations)
    if wanted ?? .max < had ?? .max {
      throw ValidationError(
        "\(directory) holds a run with training.max_iterations \(had.map(String.init) ?? "not set"), more"
          + " than \(wanted!): name another --output, or remove it")
    }
    try requireEqual(directory, run, configuration, except: ["training.max_iterations"])
    guard had == wanted else { return false }
    return history.isComplete
  }

  private func requireEqual(
    _ directory: String, _ run: Configuration, _ wanted: Configuration, except names: Set<String>
  ) throws {
    let others = Configuration.keys.filter { key in
      !names.contains(key.name) && key.yaml(run) != key.yaml(wanted)
    }
    guard let key = others.first else { return }
    throw ValidationError(
      "\(directory) holds a run with \(key.name) \(key.yaml(run) ?? "not set"), not"
        + " \(key.yaml(wanted) ?? "not set"): name another --output, or remove it")
  }
}

/// A key of the configuration and the values that it is to have.
struct Variation {
  let key: String
  let values: [String]

  init(key: String, _ values: [String]) { (self.key, self.values) = (key, values) }

  init(_ text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw ValidationError("expected KEY=VALUE,VALUE, such as neuron.tau=1.1,2")
    }
    (key, values) = (parts[0], Self.values(parts[1]))
    guard !values.contains("") else {
      throw ValidationError("\(key): a value to vary by is empty")
    }
    do { try requireDistinct(values) } catch { throw ValidationError("\(key): \(error)") }
    guard !text.contains("/") else {
      throw ValidationError(
        "\(key): a value with / cannot vary, since runs lie in directories named by their values")
    }
  }

  /// What commas separate, but for those within a list or a mapping, such as [1, 1].
  private static func values(_ text: String) -> [String] {
    var depth = 0
    var values = [""]
    for character in text {
      if character == "," && depth == 0 {
        values.append("")
        continue
      }
      if "[{".contains(character) { depth += 1 }
      if "]}".contains(character) { depth -= 1 }
      values[values.count - 1].append(character)
    }
    return values
  }
}
