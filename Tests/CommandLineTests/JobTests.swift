import Foundation
import TestSupport
import Testing

/// The program under `mpirun`.
struct JobTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace.withImages()
  }

  @Test(arguments: [2, 4]) func anyNumberOfRanksTrainsToTheSameWeights(ranks: Int) throws {
    let alone = try workspace.run("train", "--config", "small.yaml", "--output", "alone")
    let job = try workspace.run("train", "--config", "small.yaml", "--output", "job", ranks: ranks)
    #expect(alone.status == 0 && job.status == 0)
    #expect(job.output.contains("\(ranks) ranks x 1 thread, global batch 10"))
    #expect(
      job.value("best validation accuracy") == alone.value("best validation accuracy"))
    // One rank speaks and writes.
    #expect(job.output.split(separator: "\n").count { $0.contains("  iteration ") } == 6)
    #expect(!job.output.contains("\u{1B}"))
    let fired = try #require(job.output.split(separator: "firing rate ").last?.prefix(4))
    #expect(Double(fired.prefix { $0 != " " }) ?? 0 > 3, "percent")
    for name in ["model", "optimizer"] {
      let path = "checkpoints/latest/\(name).safetensors"
      let difference = relativeDifference(
        try workspace.tensors("job/\(path)"), try workspace.tensors("alone/\(path)"))
      #expect(difference < 1e-4, "\(name)")
    }
  }

  /// Interrupted or not, and with a reduction that a checkpoint records.
  @Test func trainsWithOverlapInBFloat16() throws {
    func train(_ output: String, _ arguments: String...) throws -> ProgramRun {
      try workspace.run(
        [
          "train", "--config", "small.yaml", "--set", "distributed.overlap=true",
          "--set", "distributed.wire=bfloat16", "--output", output,
        ] + arguments, ranks: 2)
    }
    #expect(try train("whole").status == 0)
    #expect(try train("parts", "--set", "training.max_iterations=2").status == 0)
    #expect(try train("parts", "--resume", "auto").status == 0)
    for name in ["model", "optimizer"] {
      let path = "checkpoints/latest/\(name).safetensors"
      #expect(
        try workspace.tensors("whole/\(path)") == workspace.tensors("parts/\(path)"), "\(name)")
    }
    let report = try workspace.run("inspect", "--checkpoint", "whole", usesOneThread: false)
    #expect(
      report.value("written by")
        == "2 ranks, reduction by MPI_Alltoall and MPI_Allgather of bfloat16, added up in float32,"
        + " by chunks of 400,000 floats")
    let wrong = try workspace.run("train", "--set", "distributed.wire=bf16")
    #expect(wrong.status != 0 && wrong.errors.contains("bfloat16"))
  }

  @Test func aDamagedImageEndsTheJobWithOneMessage() throws {
    let image = "images/train/1/10.png"
    #expect(FileManager.default.fileExists(atPath: workspace.file(image)))
    try workspace.directory.write("no image", to: image)
    let run = try workspace.run("train", "--config", "small.yaml", "--output", "run", ranks: 2)
    #expect(run.status == 1)
    #expect(
      run.messages == [
        "\(image): cannot be decoded: it is neither a JPEG nor a PNG. Replace or remove this image."
      ])
  }

  @Test func aMistakeThatAllRanksMakeIsReportedOnce() throws {
    let path = try workspace.run("train", "--set", "data.path=nowhere", ranks: 3)
    #expect(path.status == 1 && path.messages.count == 1)
    #expect(path.messages.first?.hasPrefix("nowhere: ") == true)
    let batch = try workspace.run(
      "train", "--config", "small.yaml", "--set", "training.global_batch=1", ranks: 2)
    #expect(batch.status == 1)
    #expect(
      batch.messages == [
        "--set training.global_batch=1: training.global_batch = 1 is less than one image for each"
          + " of 2 ranks: raise it to 2 or more, or start fewer ranks"
      ])
  }

  @Test func ranksOfDifferentConfigurationsAreRefused() throws {
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    func train(_ setting: String) -> [String] {
      [program, "train", "--config", "small.yaml", "--set", setting, "--output", "run"]
    }
    let run = try ProgramRun.onRanks(
      1, train("method.timesteps=2") + [":", "-n", "2"] + train("method.timesteps=3"),
      in: workspace.directory.path)
    #expect(run.status == 1 && run.messages.count == 1)
    let message = try #require(run.messages.first)
    #expect(message.hasPrefix("the ranks were started with different arguments: rank 0 on "))
    for setting in ["timesteps=2", "timesteps=3"] {
      #expect(message.contains("train --config small.yaml --set method.\(setting) --output run"))
    }
    #expect(!FileManager.default.fileExists(atPath: workspace.file("run")))
  }
}
