import Foundation
import TestSupport
import Testing

/// Runs that learn from a checkpoint.
struct DistillationTests {
  private let workspace: Workspace
  private let common = ["train", "--config", "small.yaml"]
  private let teacher = ["--set", "distill.checkpoint=teacher"]

  init() throws {
    workspace = try Workspace.withImages()
    let run = try workspace.run(
      common + [
        "--output", "teacher", "--set", "model.family=vgg", "--set", "model.blocks=[1]",
        "--set", "method.timesteps=3",
      ])
    #expect(run.status == 0)
  }

  private func model(_ run: String) throws -> [String: [Float]] {
    try workspace.tensors("\(run)/checkpoints/latest/model.safetensors")
  }

  /// Frames of a duration do not tell their number.
  @Test func ofRecordingsBothSeeAsManyFrames() throws {
    try workspace.writeRecordings(to: "events")
    func train(_ timesteps: Int, _ options: String...) throws -> ProgramRun {
      try workspace.run(
        [
          "train", "--set", "data.path=events", "--set", "data.image_size=17", "--set",
          "model.family=resnet", "--set", "model.blocks=[1]", "--set", "model.width=4", "--set",
          "training.epochs=1", "--set", "training.global_batch=4", "--set",
          "data.frames={duration: 20}", "--set", "method.timesteps=\(timesteps)",
        ] + options)
    }
    #expect(try train(3, "--output", "seen").status == 0)
    let learn = ["--set", "distill.checkpoint=seen", "--output"]
    #expect(try train(3, learn[0], learn[1], learn[2], "same").status == 0)
    let fewer = try train(2, learn[0], learn[1], learn[2], "fewer")
    #expect(fewer.status == 1)
    #expect(
      fewer.messages.first?.contains("seen was trained with method.timesteps 3, which is now 2")
        == true)
  }

  @Test func goesOnAsIfItHadNotBeenInterrupted() throws {
    let whole = try workspace.run(common + teacher + ["--output", "whole"])
    #expect(whole.status == 0)
    #expect(
      whole.value("teacher")?.hasSuffix("triangle, T = 3; weight 0.5, temperature 4.0") == true)
    #expect(try workspace.run(common + ["--output", "alone"]).status == 0)
    #expect(try relativeDifference(model("alone"), model("whole")) > 1e-3)
    let part = try workspace.run(
      common + teacher + ["--output", "run", "--set", "training.max_iterations=4"])
    #expect(part.status == 0)
    let rest = try workspace.run(
      "train", "--resume", "run", "--set", "training.max_iterations=null")
    #expect(rest.status == 0)
    #expect(try model("run") == model("whole"))
    // A student is a checkpoint like others, for which its teacher need not be there.
    try FileManager.default.removeItem(atPath: workspace.file("teacher"))
    let evaluation = try workspace.run("evaluate", "--checkpoint", "run")
    #expect(evaluation.status == 0)
  }

  @Test func goesOnWithTheSameTeacherOnly() throws {
    let options = ["--set", "training.max_iterations=2"]
    for (name, more) in [("taught", teacher), ("alone", [])] {
      #expect(try workspace.run(common + options + more + ["--output", name]).status == 0)
    }
    func refusal(_ arguments: String...) throws -> String {
      let run = try workspace.run(["train", "--resume"] + arguments)
      #expect(run.status == 1)
      return run.messages.first ?? ""
    }
    #expect(
      try refusal("alone", "--set", "distill.checkpoint=teacher").contains(
        "distill.checkpoint is set, but the run began without a teacher: remove it"))
    #expect(
      try refusal("taught", "--config", "small.yaml").contains(
        "distill.checkpoint is not set, but the run began with a teacher: set it"))
    let other = try workspace.run(
      common + options + ["--output", "other", "--set", "training.seed=5"])
    #expect(other.status == 0)
    #expect(
      try refusal("taught", "--set", "distill.checkpoint=other").contains(
        "distill.checkpoint holds other weights than the teacher that the run began with"))
    // It may move.
    try FileManager.default.moveItem(
      atPath: workspace.file("teacher"), toPath: workspace.file("moved"))
    let moved = try workspace.run(
      "train", "--resume", "taught", "--set", "distill.checkpoint=moved")
    #expect(moved.status == 0)
  }

  @Test func inspectNamesTheTeacher() throws {
    let run = try workspace.run(
      ["inspect", "--config", "small.yaml"] + teacher, usesOneThread: false)
    #expect(run.status == 0)
    #expect(run.value("In all includes the teacher,")?.hasSuffix("T = 3.") == true)
    let none = try workspace.run(
      "inspect", "--config", "small.yaml", "--set", "distill.checkpoint=nowhere",
      usesOneThread: false)
    #expect(none.status == 1)
    #expect(
      none.messages.first?.contains("distill.checkpoint names no teacher for this network: nowhere")
        == true)
  }
}
