import Foundation
import TestSupport
import Testing

/// What `train --resume` and `--init-from` do with checkpoints that are there, and with damaged ones.
struct ResumeTests {
  private let workspace: Workspace
  private let common = [
    "train", "--config", "small.yaml", "--set", "checkpoint.every_iterations=1",
    "--set", "checkpoint.keep=10",
  ]

  init() throws { workspace = try Workspace.withImages() }

  private func model(_ run: String) throws -> [String: [Float]] {
    try workspace.tensors("\(run)/checkpoints/latest/model.safetensors")
  }

  @Test func autoBeginsAndGoesOn() throws {
    let auto = common + ["--resume", "auto", "--output", "run"]
    let first = try workspace.run(auto + ["--set", "training.max_iterations=2"])
    #expect(first.status == 0 && !first.output.contains("resuming"))
    let second = try workspace.run(auto)
    #expect(second.status == 0 && second.output.contains("resuming after 2 iterations"))
    let third = try workspace.run(auto)
    #expect(third.status == 0 && third.output.contains("resuming after 6 iterations"))
    #expect(third.value("best validation accuracy") == second.value("best validation accuracy"))
    #expect(try workspace.run(common + ["--output", "whole"]).status == 0)
    #expect(try model("run") == model("whole"))
  }

  @Test func latestIsTheLatestRun() throws {
    let none = try workspace.run("train", "--resume", "latest")
    #expect(none.status == 1 && none.messages.first?.hasPrefix("runs holds no run") == true)
    for run in ["runs/b", "runs/a"] {
      #expect(
        try workspace.run(common + ["--set", "training.max_iterations=2", "--output", run])
          .status == 0)
    }
    let rest = try workspace.run(
      "train", "--resume", "latest", "--set", "training.max_iterations=3")
    #expect(rest.status == 0 && rest.value("output") == "runs/a")
  }

  @Test func aDamagedLatestIsPassedOver() throws {
    #expect(try workspace.run(common + ["--output", "run"]).status == 0)
    let whole = try model("run")
    var data = try Data(
      contentsOf: URL(
        fileURLWithPath: workspace.file("run/checkpoints/latest/optimizer.safetensors")))
    data[data.count / 2] ^= 4
    try workspace.directory.write(data, to: "run/checkpoints/latest/optimizer.safetensors")
    let again = try workspace.run("train", "--resume", "run")
    #expect(again.status == 0)
    #expect(again.output.contains("optimizer.safetensors is damaged: its checksum is"))
    #expect(again.output.contains("going back to the checkpoint iteration-00000000"))
    #expect(try model("run") == whole)
  }

  @Test func aCheckpointOfTheRunCanBeChosen() throws {
    #expect(try workspace.run(common + ["--output", "run"]).status == 0)
    let whole = try model("run")
    // Which of the first ones there are depends on how long they took to write.
    let first = try #require(
      try FileManager.default.contentsOfDirectory(atPath: workspace.file("run/checkpoints"))
        .sorted().first { $0.hasPrefix("iteration-") })
    let chosen = "run/checkpoints/\(first)"
    let again = try workspace.run("train", "--resume", chosen)
    #expect(
      again.status == 0 && again.output.contains("resuming after \(first.suffix(1)) iteration"))
    #expect(again.value("output") == "run")
    #expect(try model("run") == whole)
    let elsewhere = try workspace.run("train", "--resume", chosen, "--output", "other")
    #expect(elsewhere.status == 1 && elsewhere.errors.contains("--init-from"))
  }

  @Test(arguments: ["nf-resnet", "resnet"]) func anotherNumberOfRanksGoesOn(
    family: String
  ) throws {
    let options = ["--set", "model.family=\(family)", "--set", "model.blocks=[1, 1]"]
    #expect(try workspace.run(common + options + ["--output", "whole"]).status == 0)
    for (ranks, iterations) in [(2, 2), (3, 4), (1, 5), (2, 6)] {
      let part = try workspace.run(
        common + options
          + [
            "--resume", "auto", "--output", "run", "--set", "training.max_iterations=\(iterations)",
            "--set", "optimizer.shard=\(ranks == 2)",
          ], ranks: ranks)
      #expect(part.status == 0)
      #expect(iterations == 2 || part.output.contains("the checkpoint is of "))
    }
    // Batch norm sees other parts of the batch.
    let limit: Float = family == "resnet" ? 2 : 1e-4
    #expect(try relativeDifference(model("run"), model("whole")) < limit)
  }

  @Test func otherDataAreNotGoneOnWith() throws {
    #expect(
      try workspace.run(common + ["--set", "training.max_iterations=2", "--output", "run"])
        .status == 0)
    try FileManager.default.removeItem(atPath: workspace.file("images/train/1/10.png"))
    let again = try workspace.run("train", "--resume", "run")
    #expect(again.status == 1)
    #expect(
      again.messages.first?.contains("22 training samples, but the run began with 23") == true)
  }

  @Test func beginsWithOtherWeights() throws {
    #expect(try workspace.run(common + ["--output", "first"]).status == 0)
    let tuned = try workspace.run(
      common + [
        "--init-from", "first", "--set", "method.timesteps=3", "--set", "training.epochs=1",
        "--set", "optimizer.learning_rate=1e-20", "--output", "tuned",
      ])
    #expect(tuned.status == 0 && tuned.output.contains("weights of "))
    #expect(
      try relativeDifference(
        model("tuned"), workspace.tensors("first/checkpoints/best/model.safetensors")) < 1e-6)

    // Fewer classes.
    for split in ["train", "val"] {
      try FileManager.default.removeItem(atPath: workspace.file("images/\(split)/2"))
    }
    let begin = common + ["--init-from", "first/checkpoints/latest", "--output", "other"]
    let refused = try workspace.run(begin)
    #expect(refused.status == 1 && refused.errors.contains("--reinitialize-head"))
    let other = try workspace.run(
      begin + ["--reinitialize-head", "--set", "optimizer.learning_rate=1e-20"])
    #expect(other.status == 0)
    let (before, after) = (try model("first"), try model("other"))
    #expect(after["fc.weight"]?.count == 2 * 8 * 2)
    #expect(
      relativeDifference(
        after.filter { !$0.key.hasPrefix("fc.") }, before.filter { !$0.key.hasPrefix("fc.") })
        < 1e-6)
  }

  @Test func whatIsNotFiniteEndsTheRunOrNot() throws {
    let wild = common + ["--set", "optimizer.learning_rate=1e30"]
    let stopped = try workspace.run(wild + ["--output", "stop"])
    #expect(stopped.status == 1)
    #expect(stopped.messages.count == 1)
    #expect(
      stopped.messages.first?.contains(" is not finite in iteration ") == true
        && stopped.messages.first?.contains("training.on_nonfinite") == true)
    // What was good is there.
    #expect(try workspace.run("evaluate", "--checkpoint", "stop/checkpoints/latest").status == 0)

    let back = try workspace.run(
      wild + ["--set", "training.on_nonfinite=rollback", "--output", "back"])
    #expect(back.status == 0)
    #expect(back.errors.contains("; going back to the weights after "))
    let skipped = try workspace.run(
      wild + [
        "--set", "training.on_nonfinite=skip", "--set", "training.epochs=9", "--output", "skip",
      ])
    #expect(skipped.status == 1)
    #expect(skipped.errors.contains("; its update is skipped"))
    #expect(skipped.messages.first?.contains("the 10th time in a row") == true)
  }
}
