import ArgumentParser
import Distributed
import Foundation
import Reporting
import Support
import Training

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a page about a run, or about several beside each other.",
    discussion: """
      One HTML file that needs nothing else: curves, firing rates by layer and time step, what the best \
      checkpoint does on the validation split, time, memory and energy, and in what the configurations \
      differ. A run that is still going on can be looked at, too.
      """)

  @Argument(help: "Directories of runs.", completion: .directory, transform: path)
  var runs: [String]

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var energy: EnergyOptions

  @Flag(
    name: .long,
    help:
      "Leave out what the best checkpoints do on the validation split, which takes the time of evaluate."
  )
  var withoutValidation = false

  @Option(
    name: .long, help: "The data set of the runs, where it is elsewhere by now.", transform: path)
  var data: String?

  @Option(name: .long, help: "The page.", transform: path)
  var output = "report.html"

  func validate() throws {
    guard data == nil || !withoutValidation else {
      throw ValidationError("--data is for the validation, which --without-validation leaves out")
    }
    let directories = runs.map { resolved($0) }
    for (index, run) in runs.enumerated()
    where directories[..<index].contains(directories[index]) {
      throw ValidationError("\(run) is given twice: leave it out once")
    }
  }

  func run() {
    // A page whose progress nobody reads any more is made all the same.
    signal(SIGPIPE, SIG_IGN)
    onOneRank("report", isForReading: false) { communicator in
      let histories = try runs.map { try RunHistory(run: $0) }
      // Before the work, whether it can be written.
      let file = try ResultFile(
        path: output,
        ResultKind("page of this program", beginning: "<!DOCTYPE html>", marks: ["--ground:"]))
      let report = try RunsReport(
        histories.map { ($0, validation(of: $0, communicator)) }, energy: energy.energy)
      if let given = energy.given, !report.showsEnergy {
        warn("\(given) is not used: no run has recorded firing rates, from which energy follows")
      }
      try file.finish(with: report.html.utf8)
      print("\(output): \(Format.counted(runs.count, "run"))")
    }
  }

  private func validation(
    of history: RunHistory, _ communicator: any Communicator
  ) -> RunsReport.Validation {
    guard !withoutValidation else { return .leftOut }
    do {
      print("validating \(history.path)")
      return .found(
        try Findings(
          of: history, data: data, backend: compute.backend,
          threads: compute.threadCount(communicator), communicator))
    } catch {
      let source = data ?? history.configuration.data.path
      let isMissing = source.map { !FileManager.default.fileExists(atPath: $0) } ?? false
      warn(
        "\(history.path) is shown without validation: \(error)"
          + (isMissing ? " With --data DIR, the data may be elsewhere." : ""))
      return .impossible(error)
    }
  }
}
