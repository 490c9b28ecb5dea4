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
    #expect(third.output.contains("\nall iterations are done: nothing is left to do\n"))
    #expect(third.value("best validation accuracy") == second.value("best validation accuracy"))
    #expect(try workspace.run(common + ["--output", "whole"]).status == 0)
    #expect(try model("run") == model("whole"))
  }

  private static let online = [
    "model.family=resnet", "model.blocks=[1, 1]", "model.normalization=online",
  ]

  /// Whatever a rule or a neuron keeps between iterations.
  @Test(arguments: [
    ["method.name=sltt-k", "method.k=1"], ["method.name=bptt"], ["method.name=ottt"],
    ["method.name=rate", "model.family=resnet", "model.blocks=[1, 1]"], Self.online,
    Self.online + ["neuron.threshold_rule=stabilized"],
    ["neuron.kind=plif", "method.name=bptt"], ["neuron.kind=clif"], ["neuron.reset=hard"],
    ["neuron.levels=4"], ["training.ema=0.9"],
    ["model.family=vgg", "model.blocks=[1, 1]", "model.dropout=0.2"],
  ])
  func everyRuleGoesOnExactly(_ keys: [String]) throws {
    let options = common + keys.flatMap { ["--set", $0] }
    #expect(try workspace.run(options + ["--output", "whole"]).status == 0)
    // In the middle of the second epoch.
    for iterations in [["--set", "training.max_iterations=4"], []] {
      let part = try workspace.run(options + ["--resume", "auto", "--output", "run"] + iterations)
      #expect(part.status == 0, "\(part.errors)")
    }
    for file in ["model", "optimizer"] {
      let path = "checkpoints/latest/\(file).safetensors"
      let whole = try workspace.tensors("whole/\(path)")
      #expect(!whole.isEmpty)
      #expect(try workspace.tensors("run/\(path)") == whole, "\(file)")
    }
  }

  /// Also of the iterations before it was broken off.
  @Test func anIntervalIsMeasuredWhole() throws {
    let options = common + ["--set", "training.log_every=3"]
    #expect(try workspace.run(options + ["--output", "whole"]).status == 0)
    for limit in [["--set", "training.max_iterations=4"], []] {
      #expect(
        try workspace.run(options + ["--resume", "auto", "--output", "run"] + limit).status == 0)
    }
    // Kind, epoch, iteration, samples, loss and accuracy.
    let intervals = try ["whole", "run"].map { run in
      try workspace.text("\(run)/metrics.csv").split(separator: "\n")
        .filter { $0.hasPrefix("interval,") }.map { $0.split(separator: ",").prefix(6) }
    }
    #expect(intervals[0].count == 2)
    #expect(intervals[0] == intervals[1])
  }

  @Test func saysWhatIsNoRun() throws {
    #expect(try workspace.run(common + ["--output", "run"]).status == 0)
    for (resume, problem) in [
      ("auto", "--resume auto needs --output"),
      ("run/checkpoints", "run/checkpoints holds the checkpoints of a run: name the run, run, or"),
      (
        "run/checkpoints/latest/model.safetensors",
        "run/checkpoints/latest/model.safetensors is a file: name a run"
      ),
    ] {
      let run = try workspace.run("train", "--resume", resume)
      #expect(run.status == 1)
      #expect(run.messages.first?.hasPrefix(problem) == true, "\(run.errors)")
    }
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
    #expect(again.errors.contains("optimizer.safetensors is damaged: its checksum is"))
    #expect(again.errors.contains("going back to the checkpoint iteration-00000000"))
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
    #expect(again.errors.contains("are of another course: kept as *.abandoned"))
    #expect(again.value("output") == "run")
    #expect(try model("run") == whole)
    let elsewhere = try workspace.run("train", "--resume", chosen, "--output", "other")
    #expect(elsewhere.status == 1 && elsewhere.errors.contains("--init-from"))
  }

  /// It is past its end then, in the middle of an epoch. A directory may be named in several ways.
  @Test func aRunCanBeMadeShorterThanItIs() throws {
    let begun = try workspace.run(
      "train", "--config", "small.yaml", "--set", "checkpoint.every_iterations=2", "--set",
      "checkpoint.keep=10", "--set", "training.validate_every=3", "--output", "run")
    #expect(begun.status == 0)
    let whole = try model("run")
    let shorter = try workspace.run(
      "train", "--resume", "run/checkpoints/iteration-000000002", "--set",
      "training.max_iterations=1")
    #expect(shorter.status == 0, "\(shorter.errors)")
    #expect(shorter.output.contains("resuming after 2 iterations"))
    #expect(
      shorter.output.contains("\nit has done more than the 1 iteration that are wanted now: "))
    #expect(shorter.value("best validation accuracy") != nil)
    // And longer again.
    let longer = try workspace.run(
      "train", "--resume", "run/", "--output", "./run", "--set", "training.max_iterations=null")
    #expect(longer.status == 0 && longer.output.contains("resuming after 2 iterations"))
    #expect(try model("run") == whole)
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
    // Batch norm sees other parts of the batch, and its network takes another way.
    if family == "nf-resnet" {
      #expect(try relativeDifference(model("run"), model("whole")) < 1e-4)
    }
  }

  /// Restarted again and again, as a cluster does it: nothing may happen to what is there.
  @Test func whatThisProgramCannotReadIsLeftAlone() throws {
    #expect(try workspace.run(common + ["--output", "run"]).status == 0)
    let metrics = try workspace.text("run/metrics.jsonl")
    let names = try FileManager.default.contentsOfDirectory(
      atPath: workspace.file("run/checkpoints")
    ).sorted()
    for name in names where name.hasPrefix("iteration-") {
      let state = "run/checkpoints/\(name)/state.json"
      let text = try workspace.text(state)
      try workspace.directory.write(
        text.replacingOccurrences(of: "\"format_version\" : 2", with: "\"format_version\" : 99"),
        to: state)
    }
    for _ in 1...2 {
      let again = try workspace.run(common + ["--resume", "auto", "--output", "run"])
      #expect(again.status == 1)
      #expect(again.messages.first?.contains("format version 99") == true)
    }
    #expect(try workspace.text("run/metrics.jsonl") == metrics)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: workspace.file("run/checkpoints"))
        .sorted() == names)
  }

  /// All damaged, or gone with the disk that they are on: `auto` begins nothing anew.
  @Test(arguments: [true, false]) func autoNeverBeginsAnewWhereARunWas(damaged: Bool) throws {
    #expect(try workspace.run(common + ["--output", "run"]).status == 0)
    let metrics = try workspace.text("run/metrics.jsonl")
    let store = workspace.file("run/checkpoints")
    for name in try FileManager.default.contentsOfDirectory(atPath: store) {
      if damaged && name.hasPrefix("iteration-") {
        try workspace.directory.write("{}", to: "run/checkpoints/\(name)/state.json")
      } else if !damaged {
        try FileManager.default.removeItem(atPath: store + "/" + name)
      }
    }
    for _ in 1...2 {
      let again = try workspace.run(common + ["--resume", "auto", "--output", "run"])
      #expect(again.status == 1)
      #expect(
        again.messages.first?.contains(
          damaged ? "holds no intact checkpoint" : "holds none of the run's checkpoints") == true)
    }
    #expect(try workspace.text("run/metrics.jsonl") == metrics)
  }

  @Test func aCopyWithoutLinksIsUsedAndGoesOn() throws {
    let begin = common + ["--set", "training.max_iterations=4", "--output", "run"]
    #expect(try workspace.run(begin).status == 0)
    let expected = try workspace.run("evaluate", "--checkpoint", "run/checkpoints/latest").output
    _ = try ProgramRun(["cp", "-rL", "run", "copy"], in: workspace.directory.path)
    _ = try ProgramRun(["cp", "-r", "run", "bare"], in: workspace.directory.path)
    for link in ["latest", "best"] {
      try FileManager.default.removeItem(atPath: workspace.file("bare/checkpoints/\(link)"))
    }
    let evaluation = try workspace.run("evaluate", "--checkpoint", "bare")
    #expect(evaluation.value("validation loss") != nil)
    #expect(
      expected.contains(evaluation.value("validation loss")!)
        && evaluation.errors.contains("has no links to its best and latest checkpoint"))
    for run in ["run", "copy", "bare"] {
      let rest = try workspace.run(
        "train", "--resume", run, "--set", "training.max_iterations=6")
      #expect(rest.status == 0)
      #expect(try model(run) == model("run"))
    }
    let elsewhere = try workspace.run("train", "--resume", "copy/checkpoints/best/../best")
    #expect(elsewhere.status == 0)
    _ = try ProgramRun(
      ["cp", "-rL", "run/checkpoints/latest", "alone"], in: workspace.directory.path)
    let alone = try workspace.run("train", "--resume", "alone")
    #expect(alone.status == 1 && alone.errors.contains("--init-from"))
  }

  @Test func otherDataAreNotGoneOnWith() throws {
    #expect(
      try workspace.run(common + ["--set", "training.max_iterations=2", "--output", "run"])
        .status == 0)
    let images = FileManager.default
    func refusal(_ options: String...) throws -> String {
      let again = try workspace.run(["train", "--resume", "run"] + options)
      #expect(again.status == 1 && again.messages.count == 1)
      return again.messages.first ?? ""
    }
    // The classes change places, and with them all labels.
    for split in ["train", "val"] {
      try images.moveItem(
        atPath: workspace.file("images/\(split)/0"), toPath: workspace.file("images/\(split)/9"))
    }
    #expect(try refusal().contains("number 0 (from 0) is '0' there and '1' in these data"))
    for split in ["train", "val"] {
      try images.moveItem(
        atPath: workspace.file("images/\(split)/9"), toPath: workspace.file("images/\(split)/0"))
    }
    for (option, problem) in [
      ("data.normalization=unit", "data.normalization is unit, but the run began with mnist"),
      ("data.image_size=20", "data.image_size is 20, but the run began with 16"),
      ("model.width=9", "model.width is 9, but the run began with 8"),
      ("neuron.tau=2", "neuron.tau is 2.0, but the run began with 1.1"),
      ("training.global_batch=9", "training.global_batch is 9, but the run began with 10"),
    ] {
      #expect(try refusal("--set", option).contains(problem), "\(option)")
    }
    try images.moveItem(
      atPath: workspace.file("images/train/1/10.png"),
      toPath: workspace.file("images/train/1/other.png"))
    #expect(try refusal().contains("as many training samples as the run began with, but under"))
    try images.removeItem(atPath: workspace.file("images/train/1/other.png"))
    #expect(try refusal().contains("22 training samples, but the run began with 23"))
  }

  @Test func saysWhatElseIsNoLongerAsItWas() throws {
    let begin = common + ["--set", "training.max_iterations=3", "--output", "run"]
    #expect(try workspace.run(begin).status == 0)
    let longer = try workspace.run(
      "train", "--resume", "run", "--set", "training.epochs=3", "--set",
      "training.max_iterations=4")
    #expect(longer.status == 0)
    #expect(longer.output.contains("training.epochs was 2 and is 3"))
    #expect(
      longer.output.contains(
        "the learning rate jumps from 0.05, of epoch 2 as it was planned, to 0.075 in epoch 2"))
    // Where other data may be meant, they are only named.
    let evaluation = try workspace.run(
      "evaluate", "--checkpoint", "run", "--set", "data.normalization=unit")
    #expect(evaluation.status == 0)
    #expect(
      evaluation.errors.contains(
        "was trained with data.normalization mnist, which is now unit"))
    let tuned = try workspace.run(
      common + [
        "--init-from", "run", "--set", "data.normalization=unit", "--set",
        "training.max_iterations=1", "--output", "tuned",
      ])
    #expect(tuned.status == 0)
    #expect(tuned.errors.contains("was trained with data.normalization mnist, which is now unit"))
  }

  /// The time of a run is that of all its parts.
  @Test func timeRunsOnAfterAResume() throws {
    func seconds() throws -> [Double] {
      try workspace.text("run/metrics.jsonl").split(separator: "\n").map { line in
        let record = try JSONSerialization.jsonObject(with: Data(line.utf8))
        return try #require((record as? [String: Any])?["seconds"] as? Double)
      }
    }
    let auto = common + ["--resume", "auto", "--output", "run"]
    for last in 1...6 {
      #expect(try workspace.run(auto + ["--set", "training.max_iterations=\(last)"]).status == 0)
      #expect(try seconds() == seconds().sorted())
    }
  }

  @Test func twoNewRunsDoNotShareADirectory() throws {
    try workspace.directory.makeDirectory("taken")
    let lock = open(workspace.file("taken/.lock"), O_RDWR | O_CREAT, 0o666)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX) == 0)
    let refused = try workspace.run(common + ["--output", "taken"])
    #expect(refused.status == 1 && refused.messages.first?.contains("taken is in use") == true)
    #expect(!FileManager.default.fileExists(atPath: workspace.file("taken/config.yaml")))
  }

  @Test func theSameSamplesAreLeftOut() throws {
    let first = try workspace.run(
      common + ["--set", "training.max_iterations=2", "--output", "run"])
    #expect(first.value("last batch") == "3 samples of 10; data.drop_last: true leaves it out")
    let large = try workspace.run(
      "train", "--config", "small.yaml", "--set", "training.global_batch=100", "--set",
      "training.max_iterations=1", "--output", "large")
    #expect(
      large.value("last batch")
        == "an epoch has one, of all 23 samples, fewer than training.global_batch")
    let again = try workspace.run("train", "--resume", "run", "--set", "data.drop_last=true")
    #expect(again.status == 1)
    #expect(
      again.messages.first?.contains("data.drop_last is true, but the run began with false")
        == true)

    let dropping = common + ["--set", "data.drop_last=true", "--output"]
    let whole = try workspace.run(dropping + ["whole"])
    #expect(whole.status == 0 && whole.output.contains("trained 2 epochs (4 iterations)"))
    #expect(whole.value("last batch") == "left out: 3 samples of each epoch, others each time")
    let parts = dropping + ["parts", "--resume", "auto"]
    #expect(try workspace.run(parts + ["--set", "training.max_iterations=3"]).status == 0)
    #expect(try workspace.run(parts).status == 0)
    #expect(try model("parts") == model("whole"))
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
