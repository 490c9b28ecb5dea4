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

  /// As people have their own images: a directory a class, divided by nobody.
  @Test(arguments: [nil, 2, 3])
  func withoutAnythingToValidateOnATenthIsHeldOut(ranks: Int?) throws {
    try writePhotographs(to: "photos", side: 36)
    let run = try workspace.run(
      ["train", "--data", "photos", "--set", "model.width=4", "--output", "run"] + short,
      ranks: ranks)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.output.contains("  data.normalization: cifar10\n  data.hold_out: 0.1\n"))
    #expect(run.value("data") == "photos: 4 training and 2 validation samples, 2 classes")
    #expect(run.value("found") == "the classes in photos itself, as there is no 'train'")
    #expect(try configuration(of: "run").data.heldOutShare == 0.1)
    let evaluation = try workspace.run("evaluate", "--checkpoint", "run", ranks: ranks)
    #expect(evaluation.status == 0 && evaluation.value("samples") == "2 of photos, held out")
    let other = try workspace.run(
      ["train", "--resume", "run", "--set", "data.hold_out=0.4"], ranks: ranks)
    #expect(other.status == 1)
    #expect(
      other.messages.first?.contains("data.hold_out is 0.4, but the run began with 0.1") == true)
    let rest = try workspace.run(
      ["train", "--resume", "run", "--set", "training.max_iterations=2"], ranks: ranks)
    #expect(rest.status == 0 && rest.errors == "", "\(rest.errors)")

    // Of other data, all images that are there to validate on are meant.
    try writePhotographs(to: "others/train", side: 36)
    try writePhotographs(to: "others/test", side: 36)
    let others = try workspace.run(
      "evaluate", "--checkpoint", "run", "--data", "others", ranks: ranks)
    #expect(others.value("samples") == "6 of others/test", "\(others.errors)")
    let part = try workspace.run(
      "evaluate", "--checkpoint", "run", "--data", "others", "--set", "data.hold_out=0.1",
      ranks: ranks)
    #expect(part.value("samples") == "2 of others/train, held out")
  }

  @Test func imagesAreHeldOutBesideAValidationSplitIfThatIsWanted() throws {
    try workspace.writeImages(to: "images")
    let run = try workspace.run(
      ["train", "--data", "images", "--set", "data.hold_out=0.25", "--output", "run"] + short)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let counts = try #require(run.value("data"))
    let test = try workspace.run("evaluate", "--checkpoint", "run", "--set", "data.validation=val")
    let heldOut = try workspace.run("evaluate", "--checkpoint", "run")
    #expect(test.value("samples") == "13 of images/val")
    #expect(heldOut.value("samples") == "6 of images/train, held out", "\(counts)")
  }

  /// A configuration that says everything else leaves this open, too.
  @Test func withARecipeATenthIsHeldOut() throws {
    try writePhotographs(to: "photos/train", side: 36)
    let run = try workspace.run(
      [
        "train", "--config", "cifar10-resnet18", "--data", "photos", "--set", "model.width=4",
        "--set", "method.timesteps=1",
      ] + short)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.output.hasPrefix("chosen from the data:\n  data.hold_out: 0.1\n"))
    let both = try workspace.run(
      ["train", "--data", "photos", "--set", "data.validation=train", "--set", "model.width=4"]
        + short)
    #expect(both.status == 0 && both.errors == "" && !both.output.contains("hold_out"))
  }

  /// `evaluate` chooses nothing.
  @Test(arguments: [("photos/train", "train"), ("photos", ".")])
  func whereNothingIsChosenItIsSaidWhatToDo(split: String, remedy: String) throws {
    try writePhotographs(to: split, side: 36)
    let run = try workspace.run(
      ["train", "--data", "photos", "--set", "model.width=4", "--output", "run"] + short)
    try #require(run.status == 0, "\(run.errors)")
    try FileManager.default.moveItem(
      atPath: workspace.file("photos"), toPath: workspace.file("others"))
    let evaluation = try workspace.run("evaluate", "--checkpoint", "run", "--data", "others")
    #expect(evaluation.status == 1)
    #expect(
      evaluation.messages.first?.hasSuffix(
        "data.validation is left out, and others has none of val, valid, validation, test, testing:"
          + " set data.hold_out to 0.1 to hold out a tenth of the training images, name the directory"
          + " of other images, or set it to \(remedy) to measure on the images that are learnt from"
      )
        == true, "\(evaluation.errors)")
    for setting in ["data.hold_out=0.1", "data.validation=\(remedy)"] {
      let run = try workspace.run(
        "evaluate", "--checkpoint", "run", "--data", "others", "--set", setting)
      #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    }
  }

  /// Then held-out images may be some that were learnt from.
  @Test func dataThatHaveGrownAreDividedOtherwise() throws {
    try writePhotographs(to: "photos", side: 36)
    let run = try workspace.run(
      ["train", "--data", "photos", "--set", "model.width=4", "--output", "run"] + short)
    try #require(run.status == 0, "\(run.errors)")
    for path in [[], ["--data", "./photos/"], ["--data", workspace.file("photos")]] {
      let same = try workspace.run(["evaluate", "--checkpoint", "run"] + path)
      #expect(same.status == 0 && same.errors == "", "\(same.errors)")
      #expect(same.value("samples")?.hasSuffix(", held out") == true)
    }
    try FileManager.default.copyItem(
      atPath: workspace.file("photos/a/0.png"), toPath: workspace.file("photos/a/00.png"))
    let grown = try workspace.run("evaluate", "--checkpoint", "run")
    #expect(grown.status == 0)
    #expect(
      grown.errors.contains("photos is divided otherwise than in training: images that are held"))
  }

  /// A class may be called as a split where it is said what the classes are.
  @Test func aClassIsNoValidationSplit() throws {
    try writePhotographs(to: "photos", side: 36)
    try FileManager.default.moveItem(
      atPath: workspace.file("photos/b"), toPath: workspace.file("photos/test"))
    let unsaid = try workspace.run("train", "--data", "photos")
    #expect(
      unsaid.status == 1 && unsaid.errors.contains("Where these are the classes, set data.train=."))
    let run = try workspace.run(
      ["train", "--data", "photos", "--set", "data.train=.", "--set", "model.width=4"] + short)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.value("data") == "photos: 4 training and 2 validation samples, 2 classes")
    #expect(run.value("found") == nil)
  }

  @Test func shardsWithoutAnythingToValidateOnAreDivided() throws {
    try writePhotographs(to: "photos", side: 36)
    func shard(_ more: String...) throws {
      let run = try workspace.run(
        ["shard", "--source", "photos", "--output", "shards"] + more, usesOneThread: false)
      try #require(run.status == 0, "\(run.errors)")
    }
    func train(_ more: String..., ranks: Int? = nil) throws -> ProgramRun {
      try workspace.run(
        ["train", "--data", "shards", "--set", "model.width=4"] + short + more, ranks: ranks)
    }
    try shard("--hold-out", "0")
    for ranks in [nil, 2] {
      let run = try train(ranks: ranks)
      #expect(run.status == 0 && run.errors == "", "\(run.errors)")
      #expect(run.value("data")?.contains("4 training and 2 validation samples") == true)
      #expect(run.value("rank 0 read") != nil)
    }
    let local = try train("--set", "data.sharding=node-local", ranks: 2)
    #expect(local.status == 1)
    #expect(local.messages.first?.contains("sltt-dist shard --hold-out 0.1") == true)
    let both = try train("--set", "data.sharding=node-local", "--set", "data.hold_out=0.1")
    #expect(both.status == 1)
    #expect(
      both.messages.first?.contains("data.hold_out does not go with data.sharding = node-local")
        == true
    )
    try FileManager.default.removeItem(atPath: workspace.file("shards"))
    try shard()
    let run = try train("--set", "data.sharding=node-local", ranks: 2)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    #expect(run.value("data")?.contains("4 training and 2 validation samples") == true)
  }

  @Test func thePathIsGivenOnce() throws {
    let run = try workspace.run("train", "--data", "a", "--set", "data.path=b")
    #expect(run.status == 64)
    #expect(run.errors.contains("--data and --set data.path exclude each other"))
    let nowhere = try workspace.run("train", "--data", "nowhere")
    #expect(nowhere.status == 1 && nowhere.messages.first?.hasPrefix("nowhere: ") == true)
  }
}
