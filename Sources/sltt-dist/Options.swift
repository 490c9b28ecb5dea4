import ArgumentParser
import Configuration
import Distributed
import Foundation
import Support
import Tensors
import Training

extension ConvolutionBackend.Library: ExpressibleByArgument {}
extension ConvolutionBackend.Kernels: ExpressibleByArgument {}

/// What determines a run.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    name: .long,
    help: """
      Configuration file (YAML), or the name of a recipe (see sltt-dist recipes); what it leaves out has its \
      default, or suits the data.
      """, transform: path)
  var config: String?

  @Option(name: .long, help: "The data set, as --set data.path=DATA does.", transform: path)
  var data: String?

  @Option(
    name: .long,
    help: "KEY=VALUE: overrides one key of the configuration; repeat it for more.",
    transform: { $0 })
  var set: [String] = []

  /// An option that was given, if any was.
  var given: String? {
    config != nil ? "--config" : data != nil ? "--data" : set.isEmpty ? nil : "--set"
  }

  func validate() throws {
    guard data != nil, set.contains(where: { $0.hasPrefix("data.path=") }) else { return }
    throw ValidationError("--data and --set data.path exclude each other: leave one out")
  }
}

/// What computes dense convolutions; the results are the same.
struct LibraryOptions: ParsableArguments {
  @Option(name: .customLong("backend"), help: "Library for dense convolutions.")
  var library = ConvolutionBackend.Library.oneDNN
}

/// What computes convolutions; the results are the same.
struct BackendOptions: ParsableArguments {
  @OptionGroup var dense: LibraryOptions

  @Option(name: .long, help: "Kernels for convolutions of spikes: by density, or always the same.")
  var kernels = ConvolutionBackend.Kernels.auto
}

/// How the work is computed; the results are the same.
struct ComputeOptions: ParsableArguments {
  @OptionGroup var convolutions: BackendOptions
  @OptionGroup var threading: ThreadOptions
}

/// The energy of operations.
struct EnergyOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: "Picojoules of a multiply-accumulate, \(Self.usual.mac) by default.")
  var macEnergy: Double?

  @Option(
    name: .long, parsing: .unconditional,
    help: "Picojoules of a weight added under a spike, \(Self.usual.ac) by default.")
  var acEnergy: Double?

  private static let usual = OperationEnergy()

  var energy: OperationEnergy {
    OperationEnergy(mac: macEnergy ?? Self.usual.mac, ac: acEnergy ?? Self.usual.ac)
  }

  /// Refuses energies where none are shown.
  ///
  /// - Parameter option: what shows them.
  func requireShown(_ isShown: Bool, by option: String) throws {
    guard !isShown, let given else { return }
    throw ValidationError("\(given) is of no use without \(option): add that, or leave it out")
  }

  /// An option that was given, if any was.
  var given: String? {
    macEnergy != nil ? "--mac-energy" : acEnergy != nil ? "--ac-energy" : nil
  }

  func validate() throws {
    try require("--mac-energy", macEnergy, in: OptionLimit.picojoules)
    try require("--ac-energy", acEnergy, in: OptionLimit.picojoules)
  }
}

/// The model that a subcommand takes.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .long,
    help: "Directory of a run (its best checkpoint) or of a checkpoint, or its model.safetensors.",
    transform: path)
  var checkpoint: String
}

/// A path of an option.
@Sendable func path(_ text: String) throws -> String {
  guard !text.isEmpty else { throw ValidationError("the path is empty") }
  return expandingHome(text)
}

/// How many threads a rank uses.
struct ThreadOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: "Threads of a rank; by default the cores it may use, divided among the node's ranks.")
  var threads: Int?

  func validate() throws {
    try require("--threads", threads, in: OptionLimit.threads)
  }
}

extension ConfigurationOptions {
  /// The configuration as rank 0 reads it, on all ranks; so mistakes are reported once.
  ///
  /// - Parameters:
  ///   - base: YAML of a checkpoint and its path, which the options change; nil: they change the defaults,
  ///     or what the data decide.
  ///   - overrides: as `--set` has them, which those of the user override.
  ///   - report: is told what was chosen from the data, line by line.
  func read(
    _ communicator: any Communicator, base: (configuration: String, path: String)? = nil,
    overrides: [String] = [],
    report: (String) -> Void = { print($0) }
  ) throws -> Configuration {
    var configuration = Configuration()
    if communicator.isRoot {
      var earlier: Configuration?
      if let base {
        earlier = Configuration()
        try earlier!.apply(yaml: base.configuration, from: base.path)
      }
      if let earlier, config == nil { configuration = earlier }
      try apply(to: &configuration, overrides: overrides)
      if let earlier {
        if config != nil { configuration.choose(asIn: earlier) }
        try requireData(of: configuration, asIn: earlier, from: base!.path)
      } else {
        try configuration.chooseFromData(communicator.activity).forEach(report)
      }
      try configuration.validate()
    }
    let yaml = try communicator.broadcast(configuration.yaml, root: 0)
    guard !communicator.isRoot else { return configuration }
    var shared = Configuration()
    try shared.apply(yaml: yaml, from: "rank 0")
    return shared
  }

  /// Checks that data which a checkpoint names by a path from where its run was started are there.
  private func requireData(
    of configuration: Configuration, asIn earlier: Configuration, from checkpoint: String
  ) throws {
    guard let path = configuration.data.path, path == earlier.data.path, !path.hasPrefix("/"),
      !FileManager.default.fileExists(atPath: path)
    else { return }
    throw ValidationError(
      "\(path): there is no such file or directory here; it is data.path of \(checkpoint), from the"
        + " directory where its run was started: go there, or name the data with --set data.path=")
  }

  /// Takes the values that the options give. Does not `validate`.
  ///
  /// - Parameter overrides: as `--set` has them, which those of the user override.
  func apply(to configuration: inout Configuration, overrides: [String] = []) throws {
    if let config { try configuration.apply(file: Recipe.file(named: config)) }
    try configuration.apply(overrides: overrides + set)
    if let data { try configuration.apply("data.path", data, option: "--data") }
  }
}

extension ConfigurationOptions {
  /// Whether a model was trained on other data, for which its division into two may not be meant.
  func namesOtherData(than model: ModelFile) throws -> Bool {
    var (trained, given) = (Configuration(), Configuration())
    try trained.apply(yaml: model.configuration, from: model.path)
    given.data.path = trained.data.path
    try apply(to: &given)
    return given.data.path.map(resolved) != trained.data.path.map(resolved)
  }
}

extension BackendOptions {
  var backend: ConvolutionBackend { ConvolutionBackend(dense.library, kernels: kernels) }
}

extension ComputeOptions {
  var backend: ConvolutionBackend { convolutions.backend }

  /// Threads of this rank.
  func threadCount(_ communicator: any Communicator) throws -> Int {
    try threading.threadCount(communicator)
  }
}

extension ThreadOptions {
  /// Threads of this rank.
  func threadCount(_ communicator: any Communicator) throws -> Int {
    let budget = try ProcessorBudget.threads(communicator)
    return threads ?? budget
  }
}

/// Runs `body` on every rank of the job. An error on one rank ends the whole job with its message.
///
/// - Parameter isForReading: whether what is printed is the result, which must not get lost.
func onEveryRank(
  isForReading: Bool = true, _ body: (any Communicator) throws -> Void
) {
  StopSignal.release()
  let communicator: any Communicator
  do {
    communicator = try Launch.current.communicator()
  } catch {
    abortAlone("\(error)", rank: Launch.current.rank ?? 0, status: status(of: error))
  }
  Exhaustion.handle { communicator.abort($0, status: ExitStatus.failure) }
  do {
    try communicator.checkSameProgram()
    try body(communicator)
    if isForReading && communicator.isRoot { try requirePrinted() }
  } catch {
    // A mistake that all ranks meet is rank 0's to report, once: it ends the job before the others speak.
    StopSignal.uninstall()
    if !communicator.isRoot { usleep(300_000 + 50_000 * UInt32(min(communicator.rank, 20))) }
    communicator.abort("\(error)", status: status(of: error))
  }
}

private func status(of error: any Error) -> Int32 {
  error is MPIError ? ExitStatus.broken : ExitStatus.failure
}

/// Runs `body` in a job of one rank; a larger one ends with an error.
///
/// - Parameters:
///   - command: what the error calls the subcommand.
///   - isForReading: as of `onEveryRank`.
func onOneRank(
  _ command: String, isForReading: Bool = true, _ body: (any Communicator) throws -> Void
) {
  onEveryRank(isForReading: isForReading) { communicator in
    guard communicator.size == 1 else {
      throw ValidationError("\(command) runs on one rank: start it without mpirun")
    }
    try body(communicator)
  }
}
