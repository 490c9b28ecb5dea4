import Datasets
import Foundation
import TestSupport
import Testing

struct ShardTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace.withImages()
  }

  private func shard(_ arguments: String...) throws -> ProgramRun {
    try workspace.run(["shard"] + arguments, usesOneThread: false)
  }

  @Test func shardsAreMadeVerifiedAndTrainedOn() throws {
    try workspace.directory.write("not an image", to: "images/train/0/bad.png")
    let run = try shard("--source", "images", "--output", "shards", "--shards", "4")
    #expect(run.status == 0 && run.errors == "")
    #expect(run.value("train:")?.hasPrefix("23 samples in 4 shards") == true)
    #expect(run.value("val:")?.hasPrefix("13 samples in 3 shards") == true)
    #expect(run.output.contains("37 of 37 images, 7 of 7 shards, "))
    #expect(run.output.contains("images/train/0/bad.png: it is neither a JPEG nor a PNG"))
    #expect(run.output.hasSuffix("shards is complete, 3 classes\n"))

    let verified = try shard("--verify", "shards")
    #expect(verified.status == 0 && verified.output.hasSuffix("shards is intact\n"))

    let training = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", "--set", "data.path=shards",
      "--set", "data.sharding=node-local", ranks: 2)
    #expect(training.status == 0, "\(training.errors)")
    #expect(training.value("rank 0 read")?.hasSuffix("shards") == true)
    #expect(training.value("rank 1 read")?.hasSuffix("shards") == true)
  }

  @Test func damagedShardsAreNamedAndMadeAgain() throws {
    let options = ["--source", "images", "--output", "shards", "--shards", "4"]
    _ = try workspace.run(["shard"] + options, usesOneThread: false)
    let file = workspace.file("shards/train-000002.tar")
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    try Data(whole.dropLast(100)).write(to: URL(fileURLWithPath: file))
    let damaged = try shard("--verify", "shards")
    #expect(damaged.status == 1)
    #expect(damaged.errors.contains("shards/train-000002.tar: has"))
    #expect(try workspace.run(["shard"] + options, usesOneThread: false).status == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == whole)
  }

  @Test func shardsOfAnotherProgramAreTrainedOnWithAnIndex() throws {
    for (split, counts) in [("train", [8, 8, 7]), ("val", [5, 4, 4])] {
      let images = try DigitSubset(split, counts: counts)
      var tar = TarFile()
      for index in 0..<images.count {
        tar.addFile("./\(index).json", #"{"label": \#(images.labels[index])}"#)
        tar.addFile("./\(index).png", try images.bytes(of: index))
      }
      try workspace.directory.write(tar.closed, to: "set/mnist-\(split)-000000.tar")
    }
    let refused = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", "--set", "data.path=set")
    #expect(refused.status == 1 && refused.errors.contains("make one with sltt-dist shard --index"))
    let run = try shard("--index", "set")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.value("train:")?.hasPrefix("23 samples in 1 shard,") == true)
    #expect(run.output.hasSuffix("set has an index, 3 classes, named by their numbers\n"))
    #expect(try shard("--verify", "set").output.hasSuffix("set is intact\n"))
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", "--set", "data.path=set", ranks: 2)
    #expect(training.status == 0, "\(training.errors)")
    #expect(
      training.value("data")?.hasSuffix("23 training and 13 validation samples, 3 classes") == true)
  }

  @Test func whatIsPassedOverIsSaid() throws {
    for name in ["train/0/.hidden.png", "train/1/x.gif"] {
      try workspace.directory.write("x", to: "images/" + name)
    }
    let manager = FileManager.default
    try manager.moveItem(
      atPath: workspace.file("images/val"), toPath: workspace.file("images/test"))
    try workspace.directory.write("x", to: "images/test/2/notes.txt")
    let notes = [
      "2 files in images/train: 1 .gif (not read: convert to JPEG or PNG), 1 hidden",
      "1 file in images/test: 1 .txt (no image)",
    ]
    let run = try shard("--source", "images", "--output", "shards", "--shards", "2")
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", ranks: 2)
    for output in [run.output, training.output] {
      let lines = output.split(separator: "\n").filter { $0.hasPrefix("passed over") }
      #expect(lines.map { $0.dropFirst("passed over ".count) } == notes.map { $0[...] })
    }
    let evaluation = try workspace.run("evaluate", "--checkpoint", "run")
    #expect(evaluation.value("samples") == "13 of images/test")
    #expect(evaluation.value("passed over") == notes[1])
  }

  @Test func whereASplitWasFoundIsSaid() throws {
    try workspace.directory.makeDirectory("wrapped")
    try FileManager.default.moveItem(
      atPath: workspace.file("images"), toPath: workspace.file("wrapped/images"))
    let run = try shard("--source", "wrapped", "--output", "shards", "--shards", "2")
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", "--set", "data.path=wrapped")
    for output in [run.output, training.output] {
      let lines = output.split(separator: "\n").filter { $0.hasPrefix("found") }
        .map { $0.dropFirst("found".count).trimmingCharacters(in: .whitespaces) }
      #expect(
        lines
          == ["train", "val"].map { split in
            "wrapped/images/\(split), as there is no '\(split)' in wrapped itself"
          })
    }
  }

  @Test func aRunDoesNotGoBetweenTheImages() throws {
    for (output, reason) in [
      ("images", "is the data set"), ("images/train/new", "where each directory is taken"),
      (".", "holds the data set images"),
    ] {
      let run = try workspace.run("train", "--config", "small.yaml", "--output", output)
      #expect(run.status == 1 && run.messages.first?.contains(reason) == true, "\(run.errors)")
    }
    #expect(try workspace.directory.contents == ["images", "small.yaml"])
  }

  @Test func wrongOptionsAreRefused() throws {
    for (options, message) in [
      (["--verify", "x", "--index", "y"], "exclude each other"),
      (["--index", "x", "--source", "images"], "--index takes no --source"),
      (["--source", "images"], "--output"),
      (["--verify", "x", "--source", "images"], "--verify takes no --source"),
      (["--source", "a", "--output", "b", "--shards", "0"], "must be from 1 to 1000000"),
      (["--source", "a", "--output", "b", "--shards", "2", "--shard-size", "1M"], "exclude"),
      (["--source", "a", "--output", "b", "--shard-size", "1X"], "'1X' is not a number of bytes"),
    ] {
      let run = try workspace.run(["shard"] + options, usesOneThread: false)
      #expect(run.status == 64)
      #expect(run.errors.contains(message), "\(run.errors)")
    }
  }

  @Test("Ranks meet bad samples in step", arguments: [1, 2])
  func trainingSkipsBadSamples(ranks: Int) throws {
    try workspace.directory.write("not an image", to: "images/train/1/bad.png")
    let run = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", "--set", "data.on_bad_sample=skip",
      ranks: ranks)
    #expect(run.status == 0, "\(run.errors)")
    #expect(
      run.value("bad samples, replaced by neighbours:") == "1 for training, 0 for validation")
    #expect(run.errors.contains("images/train/1/bad.png: cannot be decoded"))
    let failing = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run2", ranks: ranks)
    #expect(failing.status != 0)
    #expect(failing.errors.contains("images/train/1/bad.png: cannot be decoded"))
  }

  @Test func shardsDoNotGoBetweenTheImages() throws {
    let run = try workspace.run(
      "shard", "--source", "images", "--output", "./images/", usesOneThread: false)
    #expect(run.status == 64 && run.errors.contains("--output ./images/ is the source"))
    let inside = try workspace.run(
      "shard", "--source", "images", "--output", "images/train/shards", usesOneThread: false)
    #expect(inside.status == 1)
    #expect(
      inside.errors.contains(
        "images/train/shards is in images/train, where each directory is taken for a class"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: workspace.file("images")).sorted()
        == ["train", "val"])
  }
}
