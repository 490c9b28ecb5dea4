import Configuration
import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Runs that are told where the data are, and little else.
struct DataChoicesTests {
  private let workspace: Workspace

  init() throws { workspace = try Workspace() }

  /// Images in colour of two classes.
  private func writePhotographs(to split: String, side: Int) throws {
    for index in 0..<6 {
      let pixels = (0..<3 * side * (side + 2)).map { UInt8(truncatingIfNeeded: $0 * (index + 3)) }
      let image = DecodedImage(width: side + 2, height: side, channels: 3, pixels: pixels)
      try workspace.directory.write(
        ImageEncoder().png(image), to: "\(split)/\(index % 2 == 0 ? "a" : "b")/\(index).png")
    }
  }

  private let short = [
    "--set", "training.max_iterations=1", "--set", "training.global_batch=4", "--set",
    "data.validation_samples=4",
  ]

  private func configuration(of run: String) throws -> Configuration {
    try Configuration(file: workspace.file("\(run)/config.yaml"))
  }

  @Test(arguments: [nil, 2]) func photographsNeedOnlyTheirPath(ranks: Int?) throws {
    try writePhotographs(to: "photos/Training", side: 36)
    try writePhotographs(to: "photos/valid", side: 36)
    let run = try workspace.run(
      ["train", "--data", "photos", "--set", "model.width=4", "--output", "run"] + short,
      ranks: ranks)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(
      run.output.hasPrefix(
        """
        chosen from the data, images in colour, 36 pixels on the shorter side, 2 classes:
          data.image_size: 36
          model.architecture: resnet18
          model.input_channels: 3
          data.augmentation: cifar
          data.normalization: cifar10

        """))
    let resolved = try configuration(of: "run")
    #expect(resolved.data.imageSize == 36 && resolved.model.architecture == .resNet18)
    #expect(resolved.model.width == 4)

    // What was chosen stays, whatever the data look like now.
    try writePhotographs(to: "photos/Training", side: 44)
    let common = ["--set", "training.max_iterations=2", "--set", "training.global_batch=4"]
    for (number, more) in [[], ["--config", "own.yaml", "--data", "photos"]].enumerated() {
      try workspace.directory.write("model: {width: 4}\ntraining: {log_every: 1}", to: "own.yaml")
      let rest = try workspace.run(
        ["train", "--resume", "run", "--set", "training.epochs=\(30 + number)"] + common + more,
        ranks: ranks)
      #expect(rest.status == 0 && rest.errors == "", "\(rest.errors)")
      #expect(!rest.output.contains("chosen from the data"))
      #expect(try configuration(of: "run").data.imageSize == 36)
    }
    let evaluation = try workspace.run("evaluate", "--checkpoint", "run", ranks: ranks)
    #expect(evaluation.status == 0 && evaluation.errors == "")
  }

  @Test func digitsAreLearntAsTheBuiltInOnes() throws {
    try workspace.writeImages(to: "images")
    let run = try workspace.run(["train", "--data", "images", "--output", "run"] + short)
    #expect(run.status == 0 && run.errors == "")
    var expected = Configuration()
    expected.data.path = "images"
    (expected.data.validationSamples, expected.model.inputChannels) = (4, 1)
    (expected.training.maxIterations, expected.training.globalBatch) = (1, 4)
    #expect(try configuration(of: "run") == expected)
    let builtIn = try workspace.run(["train", "--output", "digits"] + short)
    #expect(builtIn.status == 0 && !builtIn.output.contains("chosen"))
  }

  @Test func inspectShowsWhatWouldBeChosen() throws {
    try writePhotographs(to: "photos/train", side: 70)
    try writePhotographs(to: "photos/val", side: 70)
    let shown = try workspace.run(
      "inspect", "--data", "photos", "--set", "model.width=4", "--as-yaml", usesOneThread: false)
    #expect(shown.status == 0)
    try workspace.directory.write(shown.output, to: "shown.yaml")
    let configuration = try Configuration(file: workspace.file("shown.yaml"))
    #expect(configuration.data.imageSize == 64 && configuration.data.path == "photos")
  }

  @Test func comparisonsChooseOnceForAll() throws {
    try workspace.writeImages(to: "images")
    let run = try workspace.run(
      ["compare", "--data", "images", "--methods", "sltt,bptt", "--output", "c"] + short)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.output.components(separatedBy: "chosen from the data").count == 2)
  }

  @Test func withoutAnythingToValidateOnItIsSaidWhatToDo() throws {
    try writePhotographs(to: "photos/train", side: 36)
    let run = try workspace.run(["train", "--data", "photos", "--set", "model.width=4"] + short)
    #expect(run.status == 1)
    #expect(
      run.messages.first
        == "configuration: data.validation is left out, and photos has none of val, valid, validation,"
        + " test: put some images of each class into val/<class>/, name the directory that"
        + " has them, or set it to train to measure on the images that are learnt from")
    let both = try workspace.run(
      ["train", "--data", "photos", "--set", "data.validation=train", "--set", "model.width=4"]
        + short)
    #expect(both.status == 0 && both.errors == "")
  }

  @Test func ofShardsItIsSaidToMakeThemAgain() throws {
    try writePhotographs(to: "photos/train", side: 36)
    let sharding = try workspace.run(
      "shard", "--source", "photos", "--output", "shards", usesOneThread: false)
    try #require(sharding.status == 0, "\(sharding.errors)")
    let run = try workspace.run(["train", "--data", "shards", "--set", "model.width=4"] + short)
    #expect(run.status == 1)
    #expect(
      run.messages.first
        == "configuration: data.validation is left out, and shards has none of val, valid, validation,"
        + " test: make shards of a data set that has one (sltt-dist shard --validation NAME), or set"
        + " it to train to measure on the images that are learnt from")
  }

  @Test func thePathIsGivenOnce() throws {
    let run = try workspace.run("train", "--data", "a", "--set", "data.path=b")
    #expect(run.status == 64)
    #expect(run.errors.contains("--data and --set data.path exclude each other"))
    let nowhere = try workspace.run("train", "--data", "nowhere")
    #expect(nowhere.status == 1 && nowhere.messages.first?.hasPrefix("nowhere: ") == true)
  }
}
