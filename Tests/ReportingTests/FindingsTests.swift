import Configuration
import Datasets
import Distributed
import Foundation
import SpikingNetworks
import Support
import TestSupport
import Testing

@testable import Reporting
@testable import Training

/// What a page shows of runs that have been made, with the validation of their checkpoints.
struct FindingsTests {
  private let directory: TemporaryDirectory
  private let history: RunHistory
  private let findings: Findings

  /// Digits in their own size, so that pictures have their pixels.
  init() throws {
    directory = try TemporaryDirectory()
    for (split, counts) in [("train", [8, 8, 7]), ("val", [5, 4, 4])] {
      try DigitSubset(split, counts: counts).write(to: directory, split: "digits/\(split)")
    }
    history = try Self.train(in: directory, "run")
    findings = try Self.findings(of: history)
  }

  private static func train(
    in directory: TemporaryDirectory, _ name: String, _ overrides: [String] = []
  ) throws -> RunHistory {
    let configuration = try Configuration(
      file: nil,
      overrides: [
        "data.path=\(directory.file("digits"))", "model.blocks=[1]", "model.width=4",
        "model.input_channels=1", "method.timesteps=2", "training.global_batch=10",
        "training.epochs=1", "data.validation_samples=6",
      ] + overrides)
    let setup = try TrainingSetup(
      configuration, backend: .oneDNN, threads: 1,
      output: OutputDirectory(directory.file(name)), SingleProcess())
    _ = try TrainingRun(setup).run { false }
    return try RunHistory(run: directory.file(name))
  }

  private static func findings(of history: RunHistory) throws -> Findings {
    try Findings(of: history, data: nil, backend: .oneDNN, threads: 1, SingleProcess())
  }

  /// The network's predictions of the validation images, by `predict`, which knows no labels.
  private func predictions() throws -> [(label: Int, file: String, Prediction)] {
    let predictor = try Predictor(
      of: ModelFile(at: history.path), batch: 3, backend: .oneDNN, threads: 1)
    try predictor.add(RawPath(directory.file("digits/val")))
    var all: [(label: Int, file: String, Prediction)] = []
    try predictor.run { name, result in
      let label = try #require(Int(name.split(separator: "/").dropLast().last ?? ""))
      all.append((label, name, try result.get()))
    }
    return all
  }

  /// The run has validated on some images; its page shows them all.
  @Test func theWorstComeFirstWithTheirOwnPixels() throws {
    let expected = try predictions().sorted {
      $0.2.probabilities[$0.label] < $1.2.probabilities[$1.label]
    }
    #expect(expected.count == 13 && findings.evaluation.samples == 13)
    #expect(findings.worst.map(\.label) == expected.map(\.label))
    for (found, (_, file, prediction)) in zip(findings.worst, expected) {
      #expect(found.prediction == prediction.label)
      #expect(abs(found.confidence - prediction.probabilities.max()!) < 1e-6)
      let pixels = try DecodedImage(ofFile: Data(contentsOf: URL(fileURLWithPath: file)))
      #expect(try DecodedImage(ofFile: found.picture.png) == pixels)
    }
  }

  @Test func confusionAndClassesAddUp() throws {
    let (found, predictions) = (findings.evaluation, try predictions())
    #expect(found.outputs == ["0", "1", "2"])
    for (label, one) in found.classes.enumerated() {
      let own = predictions.filter { $0.label == label }
      let row = (0..<3).map { output in own.count { $0.2.label == output } }
      #expect(found.confusion.row(label) == row && one.samples == own.count)
      #expect(one.correct == row[label] && one.accuracy == Double(row[label]) / Double(own.count))
      #expect(one.predicted == (0..<3).reduce(0) { $0 + found.confusion[$1, label] })
    }
    let correct = found.classes.reduce(0) { $0 + $1.correct }
    #expect(abs(found.accuracy - Double(correct) / 13) < 1e-12)

    let text = try #require(XMLElements(RunsReport([(history, .found(findings))]).html)).text
    #expect(text.contains(Format.percent(found.accuracy, digits: 2)))
    for (label, one) in found.classes.enumerated() {
      for (output, count) in zip(found.outputs, found.confusion.row(label)) {
        let share = Format.percent(Double(count) / Double(one.samples))
        #expect(text.contains("\(one.name), \(output): \(share)"))
      }
    }
  }

  /// The run's time has the validation in it.
  @Test func anEpochEndsWithItsValidation() throws {
    let checkpoint = try Checkpoint(contentsOf: history.path + "/checkpoints/latest")
    let seconds = try #require(history.epochs.last?.seconds)
    #expect(try seconds >= #require(checkpoint.state.position.seconds))
  }

  @Test func thePageNeedsNothingElse() throws {
    let html = RunsReport([(history, .found(findings))]).html
    let page = try #require(XMLElements(html))
    let attributes = page.attributes.values.joined()
    #expect(attributes.allSatisfy { $0["href"] == nil && $0["srcset"] == nil })
    #expect(
      attributes.compactMap { $0["src"] }.allSatisfy { $0.hasPrefix("data:image/png;base64,") })
    for element in ["script", "link", "iframe", "object", "image", "use"] {
      #expect(page.attributes[element] == nil, "\(element)")
    }
    #expect(!html.contains("url(") && !html.contains("@import"))
    // The name of SVG's language is no address that is read.
    let rest = html.replacing("xmlns=\"http://www.w3.org/2000/svg\"", with: "")
    #expect(!rest.contains("http://") && !rest.contains("https://"))
    let pictures = try #require(page.attributes["img"])
    #expect(pictures.count == 13)
    #expect(
      pictures.map { $0["alt"] } == findings.worst.map { "an image of class \($0.label)" })
  }

  @Test func runsStandBesideEachOther() throws {
    let other = try Self.train(in: directory, "hard", ["neuron.reset=hard", "neuron.tau=2"])
    let page = try #require(
      XMLElements(
        RunsReport([(history, .found(findings)), (other, .found(Self.findings(of: other)))]).html))
    let cells = page.text.replacing("\n", with: "")
    #expect(cells.contains("2 runs beside each other") && cells.contains("keyrunhard"))
    #expect(cells.contains("neuron.tau1.12.0") && cells.contains("neuron.resetsofthard"))
    // Nothing else differs: the heads of two columns, and of two keys.
    #expect(cells.contains("neuron.resetsofthardrun: the whole configuration"))
    #expect(page.attributes["img"]?.count == 26)
    #expect(cells.contains("run13 of ") && cells.contains("hard13 of "))
  }

  @Test func energyIsAtTheGivenCosts() throws {
    let operations = findings.evaluation.operations
    func text(_ energy: OperationEnergy) throws -> String {
      try #require(XMLElements(RunsReport([(history, .found(findings))], energy: energy).html)).text
        .replacing("\n", with: "")
    }
    let (usual, own) = (try text(OperationEnergy()), try text(OperationEnergy(mac: 2, ac: 0.5)))
    #expect(usual.contains("At 4.6 pJ a multiply-accumulate") && usual.contains("Horowitz"))
    #expect(own.contains("At 2.0 pJ a multiply-accumulate") && !own.contains("Horowitz"))
    for (page, (mac, ac)) in [(usual, (4.6, 0.9)), (own, (2, 0.5))] {
      let count = NetworkOperations.count
      let energy = Format.energy(picojoules: mac * operations.macs + ac * operations.acs)
      #expect(page.contains("\(count(operations.macs))\(count(operations.acs))\(energy)"))
    }
  }

  @Test func memoryIsShownByPart() throws {
    let expected = try #require(history.epochs.last?.expectedBytes)
    #expect(expected["weights"]! > 0 && expected["tape"]! > 0 && expected["teacher"] == nil)
    let cells = try #require(XMLElements(RunsReport([(history, .leftOut)]).html)).text
      .replacing("\n", with: "")
    for (part, name) in [("weights", "weights"), ("program", "program and libraries")] {
      #expect(cells.contains(name + Format.bytes(expected[part]!)))
    }
    let all = expected.values.reduce(0, +)
    #expect(cells.contains("\(Format.bytes(all)) expected in all"))
  }
}
