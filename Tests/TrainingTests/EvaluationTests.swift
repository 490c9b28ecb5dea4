import Configuration
import Distributed
import Foundation
import SpikingNetworks
import Support
import TestSupport
import Testing

@testable import Training

struct EvaluationTests {
  private let directory: TemporaryDirectory
  private let configuration: Configuration

  init() throws {
    directory = try TemporaryDirectory()
    for (split, counts) in [("train", [8, 8, 7]), ("val", [5, 4, 4])] {
      try DigitSubset(split, counts: counts).write(to: directory, split: split)
    }
    configuration = try Configuration(
      file: nil,
      overrides: [
        "model.blocks=[1,1]", "model.width=4", "model.input_channels=1", "data.image_size=16",
        "data.path=\(directory.path)", "method.timesteps=3", "training.global_batch=5",
      ])
  }

  /// A checkpoint of the job's network.
  private func checkpoint(_ job: SmallJob, classes: [String]) throws -> ModelFile {
    let path = directory.file("x.safetensors")
    try ModelFile.write(
      try Snapshot(job.network, job.trainer.replica.optimizer).modelTensors,
      configuration: configuration.yaml, classes: classes, to: path)
    return try ModelFile(contentsOf: path)
  }

  /// The report of an evaluation; its own setting of threads is undone.
  private func report(of checkpoint: ModelFile) throws -> String {
    try withOneThread {
      try Evaluation(
        of: checkpoint, configuration, backend: .oneDNN, threads: 1, SingleProcess()
      ).run().text(showsAllClasses: false)
    }
  }

  @Test func measuresTheRestoredNetwork() throws {
    // Nothing is learnt.
    try FileManager.default.removeItem(atPath: directory.file("train"))
    let job = try SmallJob(["model.blocks=[1,1]", "model.width=4"], SingleProcess())
    _ = try job.train(epochs: 3)
    let expected = try job.evaluate()
    let report = try report(of: checkpoint(job, classes: ["0", "1", "2"]))
    let layers = try #require(expected.firing?.layers)
    let silent = Format.percent(
      Double(layers.reduce(0) { $0 + $1.silent! }) / Double(layers.reduce(0) { $0 + $1.neurons }))
    let lines = report.split(separator: "\n").map { String($0) }
    #expect(
      Array(lines.prefix(5)) == [
        "samples              13 of \(directory.path)/val",
        "validation loss      \(Format.fixed(expected.loss, 4))",
        "validation accuracy  \(Format.percent(expected.accuracy, digits: 2))",
        "validation top-5     100.00 %",
        "firing rate          \(Format.percent(expected.firingRate)); \(silent) of the neurons never fired",
      ])
    #expect(lines.count == 12 && lines[5].hasSuffix(" images/s"))
    #expect(lines[6].hasPrefix("calibration error    "))
    let accuracy = Format.percent(expected.accuracy, digits: 2)
    #expect(lines[7].hasPrefix("accuracy by step     1: "))
    #expect(lines[7].hasSuffix(", 3: \(accuracy)"))
    #expect(lines[8].hasPrefix("class  samples") && lines[9].hasPrefix("0            5  "))
  }

  @Test func refusesACheckpointOfOtherClasses() throws {
    let job = try SmallJob(["model.blocks=[1,1]", "model.width=4"], SingleProcess())
    let checkpoint = try checkpoint(job, classes: ["0", "1", "3"])
    #expect(
      message { _ = try report(of: checkpoint) }
        == "\(checkpoint.path) was trained on other classes: number 2 (from 0) is '3' there and '2' in"
        + " these data")
  }
}
