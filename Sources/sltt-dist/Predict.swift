import ArgumentParser
import Distributed
import Foundation
import SpikingNetworks
import Support
import Training

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Classify images or event recordings with a trained network.",
    discussion: """
      Takes files, directories (with all that is below them) and tars of images; of a network that was \
      trained on event recordings, files .bin, .aedat and .npz and directories of them. They are prepared as \
      those of the validation split were.

      CSV has the columns path, class and probability, and with --top K also class_2, probability_2, and so \
      on. A line of JSON has path, class, probability and top, the K likeliest classes with their \
      probabilities.

      What cannot be read is named on the standard error and passed over. Exit status: 0 all was \
      classified; 2 something was passed over, or all; 1 an error, such as a checkpoint that is damaged.
      """)

  /// Of the lines that are written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case csv, jsonl
  }

  @OptionGroup var model: ModelOptions
  @OptionGroup var compute: ComputeOptions

  @Option(
    name: .long, parsing: .unconditional,
    help: "Classes to name for each input, the likeliest first.")
  var top = 1

  @Option(name: .long, help: "Lines of CSV or of JSON.")
  var format = Format.csv

  @Option(name: .long, help: "File to write; by default the standard output.", transform: path)
  var output: String?

  @Option(
    name: .long, parsing: .unconditional,
    help: "Inputs at once; by default training.global_batch of the checkpoint.")
  var batch: Int?

  @Argument(
    help: "Files, directories or tars; - stands for paths from the standard input, one a line.",
    transform: path)
  var inputs: [String]

  func validate() throws {
    try require("--top", top, in: OptionLimit.classes)
    try require("--batch", batch, in: OptionLimit.samples)
  }

  func run() {
    onOneRank("predict") { communicator in
      let predictor = try Predictor(
        of: ModelFile(at: model.checkpoint), batch: batch, backend: compute.backend,
        threads: compute.threadCount(communicator))
      var table = try PredictionTable(
        path: output, names: predictor.names, top: top, isJSON: format == .jsonl)
      var passedOver = 0
      func passOver(_ error: any Error) {
        passedOver += 1
        try? FileHandle.standardError.write(contentsOf: Data("\(error)\n".utf8))
      }
      for input in try paths() {
        do { try predictor.add(input) } catch { passOver(error) }
      }
      try predictor.run { name, result in
        switch result {
        case .success(let prediction): try table.append(prediction, of: name)
        case .failure(let error): passOver(error)
        }
      }
      try table.finish()
      try requirePrinted()
      if passedOver > 0 { communicator.end(status: ExitStatus.passedOver) }
    }
  }

  /// The inputs, with those that the standard input names.
  private func paths() throws -> [RawPath] {
    try inputs.flatMap { input in
      guard input == "-" else { return [RawPath(input)] }
      return try (FileHandle.standardInput.readToEnd() ?? Data())
        .split(separator: UInt8(ascii: "\n")).map { line in
          // As Windows ends lines.
          RawPath(Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
        }
    }
  }
}
