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

  @Test func wrongOptionsAreRefused() throws {
    for (options, message) in [
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
}
